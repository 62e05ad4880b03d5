import { z } from 'zod';

/** What Luna and the host of Python tools say to each other: a line of JSON each. `luna_host` is the other end. */

export type ToPython =
  | {
      readonly type: 'load';
      readonly files: readonly string[];
      readonly folder: string;
      readonly resultLimitBytes: number;
    }
  | { readonly type: 'call'; readonly id: number; readonly name: string; readonly args: object }
  | { readonly type: 'cancel'; readonly id: number }
  | { readonly type: 'ping' };

const toolSchema = z.object({
  name: z.string(),
  description: z.string(),
  inputSchema: z.record(z.string(), z.unknown()),
  examples: z.array(
    z.object({
      prompt: z.string(),
      args: z.record(z.string(), z.unknown()).optional(),
      response: z.unknown().optional(),
    }),
  ),
});

/** What a function returned; `ok` where it returned a pair that begins with a boolean. */
const outcomeSchema = z.union([
  z.object({ error: z.string() }),
  z.object({ cancelled: z.literal(true) }),
  z.object({ ok: z.boolean().optional(), value: z.unknown() }),
]);

export const fromPython = z.discriminatedUnion('type', [
  z.object({ type: z.literal('loaded'), tools: z.array(toolSchema), systemPrompt: z.string().nullable() }),
  z.object({ type: z.literal('load-failed'), message: z.string(), missingModule: z.string().nullable() }),
  z.object({ type: z.literal('result'), id: z.number(), outcome: outcomeSchema }),
  z.object({ type: z.literal('pong') }),
]);

export type FromPython = z.infer<typeof fromPython>;
export type PythonOutcome = z.infer<typeof outcomeSchema>;
