import { randomBytes } from 'node:crypto';
import type { Luna } from '@luna/core/control';
import { toLunaError } from '@luna/core/errors';
import type { Context } from 'koa';
import { z } from 'zod';
import { bearerOf, personOf } from '../auth/guards.ts';
import { toHttpError } from '../http-errors.ts';
import type { PublicAddress } from '../public-address.ts';
import { defineRoute, type Route } from './contract.ts';

/** Where authorization servers send people back to. */
export const upstreamCallbackPath = '/auth/upstream/callback';

/** Who holds the token of a home may finish in any browser what they began in a terminal. */
const terminal = 'terminal';
const authorizePath = '/api/supervisor/remote-mcp/{id}/authorize';
const inPath = z.object({ id: z.string().describe('The server.') });
const text = z.string().max(4096).optional();
const answerSchema = z.object({ state: z.string().min(1).max(512), code: text, iss: text, error: text });

/** Authorizing Luna at MCP servers: begin, come back from the browser, take back. */
export function upstreamAuthorizationRoutes(luna: Luna, address: PublicAddress): Route[] {
  return [
    defineRoute({
      method: 'post',
      path: authorizePath,
      summary: 'Begin to authorize Luna at an MCP server',
      description: 'Answers with the page at which a person does it.',
      tag: 'sources',
      access: 'admin',
      params: inPath,
      answer: z.object({ url: z.string() }),
      async handle({ params }, ctx) {
        const bySession = bearerOf(ctx.headers) === undefined;
        // The guard has checked that the origin is ours; it is how this browser reaches Luna, proxies and all.
        const base = bySession ? ctx.get('origin') + address.basePath : luna.publicUrl;
        const owner = bySession ? sessionOwner(ctx) : terminal;
        return { url: await luna.authorizations.begin(params.id, `${base}${upstreamCallbackPath}`, owner) };
      },
    }),
    defineRoute({
      method: 'delete',
      path: authorizePath,
      summary: 'Give the tokens for an MCP server back and forget them',
      tag: 'sources',
      access: 'admin',
      params: inPath,
      async handle({ params }) {
        await luna.authorizations.disconnect(params.id);
        return undefined;
      },
    }),
    defineRoute({
      method: 'get',
      path: upstreamCallbackPath,
      summary: 'Where authorization servers of MCP servers send people back to',
      description: 'Takes `state`, `code`, `iss` and `error` from the query.',
      tag: 'sign-in',
      access: 'open',
      media: 'text/plain',
      otherStatuses: { 302: 'On to the page of sources, for whoever is signed in.' },
      async handle(_input, ctx) {
        await comeBack(luna, ctx);
        return undefined;
      },
    }),
  ];
}

async function comeBack(luna: Luna, ctx: Context): Promise<void> {
  ctx.set({ 'Cache-Control': 'no-store' });
  try {
    const answer = answerSchema.parse({ ...ctx.query });
    const mine = personOf(ctx) ? knownOwner(ctx) : undefined;
    const { server } = await luna.authorizations.finish(answer, mine === undefined ? [terminal] : [mine, terminal]);
    if (mine !== undefined) ctx.redirect('/sources');
    else ctx.body = `Luna is authorized at "${server}". You can close this page.\n`;
  } catch (thrown) {
    const error = thrown instanceof z.ZodError ? undefined : toLunaError(thrown);
    const { status, body } = toHttpError(error);
    ctx.status = error ? status : 400;
    // Plain text: whatever an authorization server sent with the person is not read as a page.
    ctx.body = error ? `${body.error.message}\n` : 'This is not how an authorization server sends people back.\n';
  }
}

/** Binds an authorization to the browser session that begins it. */
function sessionOwner(ctx: Context): string {
  const known = knownOwner(ctx);
  if (known !== undefined) return known;
  const mark = randomBytes(16).toString('base64url');
  if (ctx.session) ctx.session.upstream = mark;
  return `session:${mark}`;
}

function knownOwner(ctx: Context): string | undefined {
  const mark: unknown = ctx.session?.upstream;
  return typeof mark === 'string' ? `session:${mark}` : undefined;
}
