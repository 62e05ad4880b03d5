import { redactIn, redactorOf, secretsIn } from '../config/index.ts';
import { LunaError, type LunaErrorCode, type LunaErrorDetails, toLunaError } from '../errors/index.ts';

/** What is known of a call that gave no result: it did nothing, or nobody can say. */
export type CallOutcome = 'failed' | 'unknown';

/** Errors that come before a source has begun, or instead of beginning. */
const refusals: ReadonlySet<LunaErrorCode> = new Set([
  'invalid_input',
  'unauthorized',
  'forbidden',
  'not_found',
  'tool_not_found',
  'needs_approval',
  'needs_authorization',
  'limit_exceeded',
  'extension_invalid',
  'command_not_found',
]);

/** The error of a call, with what is known of its outcome in `details.outcome`, and the request that it came with. */
export function withOutcome(thrown: unknown, requestId?: string): LunaError {
  const error = toLunaError(thrown);
  if (error.details?.outcome !== undefined && error.details.requestId === requestId) return error;
  return new LunaError(error.code, error.message, {
    details: { ...error.details, outcome: outcomeOf(error), ...(requestId !== undefined && { requestId }) },
    cause: error.cause ?? error,
  });
}

/** The error without the values of arguments that are named as secrets, which a source may quote. */
export function withoutSecrets(error: LunaError, args: unknown): LunaError {
  const secrets = secretsIn(args);
  if (secrets.length === 0) return error;
  const redact = redactorOf(secrets);
  const message = redact(error.message);
  const details = redactIn(error.details, redact) as LunaErrorDetails | undefined;
  const isSame = message === error.message && JSON.stringify(details) === JSON.stringify(error.details);
  return isSame ? error : new LunaError(error.code, message, details && { details });
}

/** What an error says of the call: what its source knows, or the safe guess. */
export function outcomeOf({ code, details }: LunaError): CallOutcome {
  if (details?.outcome === 'failed' || details?.outcome === 'unknown') return details.outcome;
  // A server that answered with an error has not done what it was asked for.
  if (details?.rpc !== undefined || refusals.has(code)) return 'failed';
  if (typeof details?.status === 'number' && details.status >= 400 && details.status < 500) return 'failed';
  return 'unknown';
}
