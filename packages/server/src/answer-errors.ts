import { redactIn } from '@luna/core/config';
import type { Luna } from '@luna/core/control';
import { LunaError } from '@luna/core/errors';
import type { Context, Middleware } from 'koa';
import { toHttpError } from './http-errors.ts';
import { requestIdOf } from './log/request-id.ts';
import type { RequestLog } from './log/request-log.ts';

export interface FailedRequest {
  readonly method: string;
  readonly path: string;
  readonly requestId?: string | undefined;
}

/** Told of what is answered with 500 and above. */
export type OnError = (error: unknown, request: FailedRequest) => void;

/** Answers with what is thrown below it, and tells the log which route it was. */
export function answerErrors(luna: Luna, requests: RequestLog, onError: OnError | undefined): Middleware {
  return async (ctx, next) => {
    ctx.set({ 'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer' });
    try {
      await next();
    } catch (thrown) {
      const requestId = requestIdOf(ctx.req);
      const { status, headers, body } = toHttpError(thrown, requestId);
      if (status >= 500) onError?.(thrown, { method: ctx.method, path: ctx.path, requestId });
      ctx.status = status;
      ctx.set(headers);
      // What servers and tools are quoted with may hold anything.
      ctx.body = redactIn(body, (text) => luna.redact(text));
    }
    const note = requests.noteOf(ctx.req);
    if (note) note.route = routeOf(ctx);
  };
}

/** The pattern of the route that answered; what extensions and the UI answer has none. */
function routeOf({ _matchedRoute: route, respond, status }: Context): string {
  if (typeof route !== 'string') return respond === false ? '(extension)' : status === 404 ? '(none)' : '(ui)';
  return route.replaceAll(/:(\w+)/g, '{$1}');
}

/** For the parser of bodies. */
export function refuseBody(error: Error & { status?: number }): never {
  if (error.status === 413) throw new LunaError('too_large', 'The body is longer than 4 MB.', { cause: error });
  throw new LunaError('invalid_input', 'The body is not valid JSON.', { cause: error });
}
