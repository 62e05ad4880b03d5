import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { LunaError, messageOf, systemCodeOf } from '../errors/index.ts';
import type { StatedDefinition } from '../tools/index.ts';

const definitionSchema = z.custom<StatedDefinition>((value) => typeof value === 'object' && value !== null);

const pinSchema = z.object({
  /** What was agreed to. None: the tool came later, and nobody has agreed yet. */
  definition: definitionSchema.optional(),
  /** What the server says instead, and since when. */
  waiting: z.object({ definition: definitionSchema, since: z.number(), rejected: z.boolean().optional() }).optional(),
});

const fileSchema = z.object({ version: z.literal(1), servers: byName(byName(pinSchema)) });

/** What is known of one tool of a server. */
export type Pin = z.infer<typeof pinSchema>;
/** By server and tool. */
export type Pins = Map<string, Map<string, Pin>>;

/** Reads what is pinned. Throws `config_invalid` for a file that is broken: to begin anew would approve everything. */
export async function readPins(file: string): Promise<Pins> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'ENOENT') return new Map();
    throw broken(file, messageOf(thrown), thrown);
  }
  try {
    return fileSchema.parse(JSON.parse(text)).servers;
  } catch (thrown) {
    const issue = thrown instanceof z.ZodError ? thrown.issues[0] : undefined;
    throw broken(file, issue ? `${issue.path.join('.')} ${issue.message}`.trim() : messageOf(thrown), thrown);
  }
}

function broken(file: string, why: string, cause: unknown): LunaError {
  return new LunaError(
    'config_invalid',
    `${file} is broken: ${why}. Restore it, or delete it to agree to all tools as they are now.`,
    { cause },
  );
}

/** The content of the file. */
export function pinsText(pins: Pins): string {
  const servers = Object.fromEntries([...pins].map(([id, tools]) => [id, Object.fromEntries(tools)]));
  return `${JSON.stringify({ version: 1, servers }, null, 1)}\n`;
}

/** An object with any names. `z.record` leaves `__proto__` out, and a server may name a tool like that. */
function byName<Value>(inner: z.ZodType<Value>): z.ZodType<Map<string, Value>> {
  return z
    .custom<object>(
      (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
      'must be an object',
    )
    .transform((object, context) => {
      const parsed = new Map<string, Value>();
      for (const [name, value] of Object.entries(object)) {
        const { data, error } = inner.safeParse(value);
        if (error) context.addIssue({ code: 'custom', message: `${name}: ${error.issues[0]?.message}` });
        else parsed.set(name, data);
      }
      return parsed;
    });
}
