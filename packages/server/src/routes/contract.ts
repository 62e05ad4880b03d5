import Router from '@koa/router';
import { LunaError } from '@luna/core/errors';
import type { Context, Middleware } from 'koa';
import { z } from 'zod';

/** Who may ask. `admin`: a signed-in administrator, or the supervisor token. `agent`: AGENT_API_KEY too. */
export type Access = 'open' | 'admin' | 'agent';

const nothing = z.object({});

/** What a route takes and answers. From it come the checks of what arrives, and the OpenAPI document. */
export interface RouteContract<
  Params extends z.ZodType = z.ZodType,
  Query extends z.ZodType = z.ZodType,
  Body extends z.ZodType = z.ZodType,
  Answer extends z.ZodType = z.ZodType,
> {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** The whole path, with parameters in braces: `/api/supervisor/services/{name}/logs`. */
  readonly path: string;
  /** One line: what it does. */
  readonly summary: string;
  readonly description?: string;
  /** Groups the route in the document: `hubs`, `services`, … */
  readonly tag: string;
  readonly access: Access;
  readonly params?: Params;
  readonly query?: Query;
  /** JSON. Left out: the body is not looked at. */
  readonly body?: Body;
  /** The JSON that it answers with. Left out: nothing (204), or what {@link media} says. */
  readonly answer?: Answer;
  /** Of the successful answer. Default: 200, or 204 where nothing is answered. 302: the handler leads elsewhere. */
  readonly status?: 200 | 201 | 202 | 204 | 302;
  /** Further statuses that the handler may set itself, with what each of them means. The answer has the same form. */
  readonly otherStatuses?: Readonly<Record<number, string>>;
  /**
   * The type of an answer that is not JSON, such as `text/event-stream`. The handler writes it to the context; `answer`
   * may say what each event of a stream holds.
   */
  readonly media?: string;
  handle(
    input: { readonly params: z.infer<Params>; readonly query: z.infer<Query>; readonly body: z.infer<Body> },
    ctx: Context,
  ): Promise<z.input<Answer> | undefined> | z.input<Answer> | undefined;
}

/** A route whose handler's types are forgotten, so that routes can stand in one list. */
// biome-ignore lint/suspicious/noExplicitAny: each was checked where it was defined
export type Route = RouteContract<any, any, any, any>;

/** Checks a route against its own schemas, at compile time. */
export function defineRoute<
  Params extends z.ZodType = typeof nothing,
  Query extends z.ZodType = typeof nothing,
  Body extends z.ZodType = typeof nothing,
  Answer extends z.ZodType = z.ZodUndefined,
>(route: RouteContract<Params, Query, Body, Answer>): Route {
  return route;
}

/** Makes the routes answer. What does not fit its schema is refused with `invalid_input`, naming the field. */
export function routerOf(routes: readonly Route[], guards: Readonly<Record<Access, Middleware | undefined>>): Router {
  const router = new Router({ sensitive: true });
  for (const route of routes) {
    const guard = guards[route.access];
    const handlers: Middleware[] = guard ? [guard, answering(route)] : [answering(route)];
    router[route.method](koaPath(route.path), ...handlers);
  }
  return router;
}

/** The status of a successful answer. */
export function statusOf({ status, answer, media }: Route): number {
  return status ?? (answer || media !== undefined ? 200 : 204);
}

function answering(route: Route): Middleware {
  return async (ctx) => {
    const answer = await route.handle(
      {
        params: parsed(route.params, ctx.params ?? {}, 'path'),
        query: parsed(route.query, ctx.query, 'query'),
        body: parsed(route.body, ctx.request.body ?? {}, 'body'),
      },
      ctx,
    );
    if (route.media !== undefined || route.status === 302) return;
    if (!Object.hasOwn(route.otherStatuses ?? {}, ctx.status)) ctx.status = statusOf(route);
    if (route.answer) ctx.body = answer;
  };
}

function parsed(schema: z.ZodType | undefined, value: unknown, place: string): unknown {
  if (!schema) return {};
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = issue?.path.join('.') ?? '';
  throw new LunaError(
    'invalid_input',
    `The ${place} does not fit: ${path}${path && ': '}${issue?.message ?? 'not legal'}`,
  );
}

function koaPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1');
}
