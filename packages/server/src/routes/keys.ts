import { environmentKeyView, type Luna, mergedKeysView, requiredKeyView } from '@luna/core/control';
import { z } from 'zod';
import { defineRoute, type Route } from './contract.ts';

const base = '/api/supervisor/keys';
const name = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'use letters, digits and "_"')
  .max(256);

/** The keys of `.env`. No answer holds a value. */
export function keyRoutes(luna: Luna): Route[] {
  const common = { tag: 'configuration', access: 'admin' } as const;
  return [
    defineRoute({
      ...common,
      method: 'get',
      path: `${base}/list`,
      summary: 'Environment keys, their values covered',
      answer: z.object({ keys: z.array(environmentKeyView) }),
      handle: async () => ({ keys: await luna.keys.list() }),
    }),
    defineRoute({
      ...common,
      method: 'get',
      path: `${base}/required`,
      summary: 'Keys that sources cannot do without, those that are missing first',
      answer: z.object({ keys: z.array(requiredKeyView) }),
      handle: async () => ({ keys: await luna.keys.required() }),
    }),
    defineRoute({
      ...common,
      method: 'post',
      path: `${base}/set`,
      summary: 'Set an environment key',
      description: 'The answer comes when what uses the key has taken it over.',
      body: z.object({ name, value: z.string() }),
      async handle({ body }) {
        await luna.keys.set(body.name, body.value);
        return undefined;
      },
    }),
    defineRoute({
      ...common,
      method: 'post',
      path: `${base}/delete`,
      summary: 'Delete an environment key',
      body: z.object({ name }),
      async handle({ body }) {
        await luna.keys.delete(body.name);
        return undefined;
      },
    }),
    defineRoute({
      ...common,
      method: 'post',
      path: `${base}/upload-env`,
      summary: 'Merge the text of an .env file',
      description: 'All of its keys are set at once, or none. Other keys stay.',
      body: z.object({ text: z.string() }),
      answer: mergedKeysView,
      handle: ({ body }) => luna.keys.merge(body.text),
    }),
  ];
}
