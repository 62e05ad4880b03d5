import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { send } from '@koa/send';
import { LunaError } from '@luna/core/errors';
import type { Context, Middleware } from 'koa';

/** Scripts and styles only from here: what a tool says can never run in the page that administers Luna. */
const contentPolicy =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/**
 * The admin UI from its build; a path that is no file is a page of the UI. `basePath` is asked at each request, see
 * `PublicAddress.basePath`.
 */
export function uiRoutes(basePath: () => string, root: string = uiFolder()): Middleware {
  return async (ctx) => {
    const isPage = ctx.method === 'GET' || ctx.method === 'HEAD';
    if (!isPage || /^\/(api|v1|auth|mcp|\.well-known)(\/|$)/.test(ctx.path))
      throw new LunaError('not_found', `There is nothing at ${ctx.method} ${ctx.path}.`);
    if (!existsSync(join(root, 'index.html')))
      throw new LunaError('not_found', 'The UI is not built. Run "npm run build" in the repository.');
    ctx.set({ 'Content-Security-Policy': contentPolicy, 'X-Frame-Options': 'DENY' });
    const isFile = /\.[a-z0-9]+$/i.test(ctx.path);
    if (isFile && existsSync(join(root, ctx.path))) {
      const hashed = ctx.path.startsWith('/assets/');
      await send(ctx, ctx.path, { root, maxAge: hashed ? 365 * 86_400_000 : 0, immutable: hashed });
      return;
    }
    if (ctx.path.startsWith('/assets/')) throw new LunaError('not_found', `There is no file ${ctx.path}.`);
    await sendPage(ctx, join(root, 'index.html'), basePath());
  };
}

/** The one page of the build, in which `./` stands for the place of Luna, at whatever depth the page itself is. */
async function sendPage(ctx: Context, file: string, basePath: string): Promise<void> {
  const text = (await readFile(file, 'utf8')).replaceAll(/ (href|src|content)="\.\//g, ` $1="${basePath}/`);
  ctx.status = 200;
  ctx.set('Cache-Control', 'no-cache');
  ctx.type = 'html';
  ctx.etag = createHash('sha256').update(text).digest('base64url').slice(0, 27);
  if (ctx.fresh) ctx.status = 304;
  else ctx.body = text;
}

function uiFolder(): string {
  return join(dirname(fileURLToPath(import.meta.resolve('@luna/ui/package.json'))), 'dist');
}
