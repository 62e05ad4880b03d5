import { type LunaErrorCode, toLunaError } from '../../errors/index.ts';

/** An error in the shape and with the status that clients of OpenAI know. */
export interface OpenAiError {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: {
    readonly error: {
      readonly message: string;
      readonly type: string;
      readonly param: string | null;
      readonly code: string;
    };
  };
}

const statusOf: Readonly<Partial<Record<LunaErrorCode, number>>> = {
  invalid_input: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  tool_not_found: 404,
  conflict: 409,
  too_large: 413,
  limit_exceeded: 429,
  cancelled: 499,
  tool_failed: 502,
  process_failed: 502,
  upstream_error: 502,
  model_unavailable: 503,
  source_unavailable: 503,
  needs_authorization: 503,
  timeout: 504,
};

/** `redact` covers secrets. */
export function toOpenAiError(thrown: unknown, redact: (text: string) => string = (text) => text): OpenAiError {
  const { code, message, details } = toLunaError(thrown);
  const status = statusFor(code, details?.status);
  const seconds = details?.retryAfterSeconds;
  const param = details?.param;
  return {
    status,
    headers: {
      // Clients repeat what failed by themselves; a turn that may have called tools is not to be repeated unasked.
      ...(code !== 'limit_exceeded' && { 'x-should-retry': 'false' }),
      ...(typeof seconds === 'number' && { 'retry-after': String(seconds) }),
      ...(typeof details?.runId === 'string' && { 'x-luna-run': details.runId }),
    },
    body: {
      error: {
        message:
          code === 'internal'
            ? 'Something went wrong inside Luna. Its log in the folder logs/ says more.'
            : redact(message),
        type: typeFor(status),
        param: typeof param === 'string' ? param : null,
        code: codeFor(code, param),
      },
    },
  };
}

/** What an endpoint says of the request is the client's affair; its own failures are those of a gateway. */
function statusFor(code: LunaErrorCode, upstream: unknown): number {
  if (code === 'upstream_error' && typeof upstream === 'number' && [400, 404, 413, 422].includes(upstream))
    return upstream;
  return statusOf[code] ?? 500;
}

function typeFor(status: number): string {
  if (status === 401) return 'authentication_error';
  if (status === 403) return 'permission_error';
  if (status === 429) return 'rate_limit_error';
  return status < 500 ? 'invalid_request_error' : 'api_error';
}

function codeFor(code: LunaErrorCode, param: unknown): string {
  if (code === 'unauthorized') return 'invalid_api_key';
  if (code === 'not_found' && param === 'model') return 'model_not_found';
  if (code === 'limit_exceeded') return 'rate_limit_exceeded';
  return code;
}
