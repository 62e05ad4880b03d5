import { createHash } from 'node:crypto';
import { LunaError, toLunaError } from '../../errors/index.ts';
import { outcomeOf } from '../outcome.ts';
import type { Middleware, ToolCall } from '../pipeline.ts';
import type { ToolResult } from '../result.ts';

/** Where a caller puts a key by which a repeated call is recognised, in `_meta`. */
export const idempotencyKeyName = 'dev.luna/idempotency-key';

export interface IdempotencyOptions {
  /** For how long a key is remembered, in milliseconds. Default 24 hours. */
  readonly lifeMs?: number;
  /** The most keys at one time; the oldest make room. Default 10,000. */
  readonly maxKeys?: number;
}

const maxKeyLength = 256;

interface Attempt {
  readonly args: string;
  readonly result: Promise<ToolResult>;
  readonly expires: number;
}

/**
 * A call that carries a key is made once: whoever repeats it gets the outcome of the first attempt, or waits for it. An
 * attempt of which it is known that it did nothing does not count. Where that is not known, the repeated call is told
 * so, and is not made: it could take effect twice.
 */
export function idempotency({ lifeMs = 86_400_000, maxKeys = 10_000 }: IdempotencyOptions = {}): Middleware {
  const attempts = new Map<string, Attempt>();
  return (call, next) => {
    const key = call.meta?.[idempotencyKeyName];
    if (key === undefined) return next();
    if (typeof key !== 'string' || key === '' || key.length > maxKeyLength) {
      throw new LunaError(
        'invalid_input',
        `The ${idempotencyKeyName} must be a text of 1 to ${maxKeyLength} characters.`,
      );
    }
    const id = idOf(call, key);
    const args = digestOf(call.args);
    const former = attempts.get(id);
    if (former && former.expires > performance.now()) {
      if (former.args === args) return former.result;
      throw new LunaError('invalid_input', `The ${idempotencyKeyName} was used for a call with other arguments.`);
    }
    const result = next();
    attempts.delete(id);
    attempts.set(id, { args, result, expires: performance.now() + lifeMs });
    for (const oldest of attempts.keys()) if (attempts.size > maxKeys) attempts.delete(oldest);
    result.catch((thrown) => {
      if (outcomeOf(toLunaError(thrown)) === 'failed' && attempts.get(id)?.result === result) attempts.delete(id);
    });
    return result;
  };
}

/** A key is one caller's and one tool's. */
function idOf({ caller, tool }: ToolCall, key: string): string {
  return JSON.stringify([caller.kind, caller.name, tool.qualifiedName, key]);
}

function digestOf(args: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted(args)))
    .digest('base64url');
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return { entries: entries.map(([key, inner]) => [key, sorted(inner)]) };
}
