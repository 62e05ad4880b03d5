import type { LunaErrorCode } from './codes.ts';

/** Facts beside the message that programs may use, for example `{ file, line, column }`. Must be JSON. */
export type LunaErrorDetails = Readonly<Record<string, unknown>>;

/**
 * The one error of Luna. The message says what was wrong, with which value, and what to do;
 * `code` is what programs test; `cause` is the error underneath.
 */
export class LunaError extends Error {
  override readonly name = 'LunaError';
  readonly code: LunaErrorCode;
  readonly details: LunaErrorDetails | undefined;

  constructor(code: LunaErrorCode, message: string, options: { cause?: unknown; details?: LunaErrorDetails } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details;
  }
}

/** Turns anything thrown into a {@link LunaError}. One that already is comes back unchanged. */
export function toLunaError(thrown: unknown, fallback: LunaErrorCode = 'internal'): LunaError {
  if (thrown instanceof LunaError) return thrown;
  if (fallback === 'internal' && isFullDisk(thrown))
    return new LunaError('no_space', `The disk is full: ${messageOf(thrown)}. Free some space and try again.`, {
      cause: thrown,
    });
  return new LunaError(fallback, messageOf(thrown), { cause: thrown });
}

/** The message of anything thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The system error code (`ENOENT`, `EADDRINUSE`, …) of anything thrown, if it has one. */
export function systemCodeOf(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return undefined;
  return typeof thrown.code === 'string' ? thrown.code : undefined;
}

/** The system says the same of a file system without room and of too many watched folders. */
function isFullDisk(thrown: unknown): boolean {
  const code = systemCodeOf(thrown);
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return false;
  return !(thrown instanceof Error && 'syscall' in thrown && thrown.syscall === 'watch');
}
