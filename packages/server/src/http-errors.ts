import type { ServerResponse } from 'node:http';
import type { ErrorView } from '@luna/core/control';
import { type LunaError, type LunaErrorCode, toLunaError } from '@luna/core/errors';
import { requestIdOf, tellRequestId } from './log/request-id.ts';

/** The one place where errors of Luna become HTTP. */
const statusOf: Readonly<Record<LunaErrorCode, number>> = {
  invalid_input: 400,
  config_invalid: 422,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  stale: 412,
  tool_not_found: 404,
  needs_approval: 403,
  tool_failed: 502,
  source_unavailable: 503,
  extension_invalid: 422,
  command_not_found: 422,
  process_failed: 502,
  needs_authorization: 503,
  model_unavailable: 503,
  upstream_error: 502,
  timeout: 504,
  cancelled: 499,
  too_large: 413,
  limit_exceeded: 429,
  port_taken: 500,
  already_running: 409,
  not_running: 503,
  no_space: 507,
  internal: 500,
};

/** An error as it is sent: the status, headers that go with it, and the body. */
export interface HttpError {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: ErrorView;
}

/** `requestId`: of the request that is answered, so that its entries in the log can be found. */
export function toHttpError(thrown: unknown, requestId?: string): HttpError {
  const error = toLunaError(thrown);
  const status = statusOf[error.code];
  // What Luna did not foresee may hold anything; it goes to the log, not to the client.
  const message =
    error.code === 'internal'
      ? 'Something went wrong inside Luna. Its log in the folder logs/ says more.'
      : error.message;
  return {
    status,
    headers: headersOf(error),
    body: {
      error: {
        code: error.code,
        message,
        ...(error.details && error.code !== 'internal' && { details: { ...error.details } }),
        ...(requestId !== undefined && { requestId }),
      },
    },
  };
}

/** Answers with an error, where Koa does not do it. */
export function sendError(response: ServerResponse, thrown: unknown): void {
  tellRequestId(response);
  const { status, headers, body } = toHttpError(thrown, requestIdOf(response.req));
  const challenge =
    status === 401 && !response.hasHeader('www-authenticate') ? { 'www-authenticate': 'Bearer realm="luna"' } : {};
  response.writeHead(status, { 'content-type': 'application/json', ...headers, ...challenge });
  response.end(JSON.stringify(body));
}

function headersOf({ code, details }: LunaError): Record<string, string> {
  const seconds = details?.retryAfterSeconds;
  return code === 'limit_exceeded' && typeof seconds === 'number' ? { 'retry-after': String(seconds) } : {};
}
