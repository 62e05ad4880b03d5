import type { ErrorView } from '@luna/core/control';
import { type LunaErrorCode, toLunaError } from '@luna/core/errors';

/** The one place where errors of Luna become HTTP. */
const statusOf: Readonly<Record<LunaErrorCode, number>> = {
  invalid_input: 400,
  config_invalid: 422,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  tool_not_found: 404,
  tool_failed: 502,
  source_unavailable: 503,
  extension_invalid: 422,
  command_not_found: 422,
  process_failed: 502,
  needs_authorization: 503,
  upstream_error: 502,
  timeout: 504,
  cancelled: 499,
  limit_exceeded: 429,
  port_taken: 500,
  already_running: 409,
  not_running: 503,
  no_space: 507,
  internal: 500,
};

export function toHttpError(thrown: unknown): { status: number; body: ErrorView } {
  const error = toLunaError(thrown);
  const status = statusOf[error.code];
  // What Luna did not foresee may hold anything; it goes to the log, not to the client.
  const message =
    error.code === 'internal'
      ? 'Something went wrong inside Luna. Its log in the folder logs/ says more.'
      : error.message;
  return {
    status,
    body: {
      error: {
        code: error.code,
        message,
        ...(error.details && error.code !== 'internal' && { details: { ...error.details } }),
      },
    },
  };
}
