import { expect, expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import { defineTool, type ToolDefinition } from './define-tool.ts';
import type { ToolArguments } from './tool.ts';

test('the handler knows the arguments that its schema gives, defaults applied', () => {
  const definition = defineTool({
    name: 'repeat',
    description: 'Repeats.',
    input: z.object({ text: z.string(), times: z.number().default(2), loud: z.boolean().optional() }),
    handler(args, context) {
      expectTypeOf(args).toEqualTypeOf<{ text: string; times: number; loud?: boolean | undefined }>();
      expectTypeOf(context.signal).toEqualTypeOf<AbortSignal>();
      expectTypeOf(context.dataDir).toEqualTypeOf<string>();
      expectTypeOf(context.progress).parameter(0).toHaveProperty('progress').toEqualTypeOf<number>();
      return args.text.repeat(args.times);
    },
  });
  expectTypeOf(definition.handler).parameter(0).toHaveProperty('text').toEqualTypeOf<string>();
  expect(definition.name).toBe('repeat');
});

test('with a JSON Schema or none the arguments are an object of unknowns', () => {
  const plain = { name: 'plain', description: 'Plain.', input: { type: 'object' } };
  const definition = defineTool({
    ...plain,
    handler(args) {
      expectTypeOf(args).toEqualTypeOf<ToolArguments>();
      return [true, args.anything];
    },
  });
  expectTypeOf(definition).toEqualTypeOf<ToolDefinition>();
  defineTool({ name: 'none', description: 'No input.', handler: () => 'x' });
});

test('what is missing or wrong is an error of types', () => {
  // @ts-expect-error a description is required
  defineTool({ name: 'x', handler: () => 1 });
  // @ts-expect-error a handler is required
  defineTool({ name: 'x', description: 'y' });
  const input = z.object({ text: z.string() });
  // @ts-expect-error the schema has no such argument
  defineTool({ name: 'x', description: 'y', input, handler: (args) => args.other });
});

test('the definition comes back as it was', () => {
  const definition = { name: 'x', description: 'y', handler: () => 1 };
  expect(defineTool(definition)).toBe(definition);
});
