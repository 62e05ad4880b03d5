import { sourceName } from '@luna/core/config';
import { extensionDetailView, extensionView, type Luna } from '@luna/core/control';
import { LunaError } from '@luna/core/errors';
import { inspectionView, maxUploadBytes } from '@luna/core/updates';
import type { Context } from 'koa';
import { z } from 'zod';
import { defineRoute, type Route } from './contract.ts';

const root = '/api/supervisor/extensions';
const named = z.object({ name: sourceName });
const uploadTypes = ['application/zip', 'application/x-zip-compressed', 'application/octet-stream'];

/** Extensions: what there is, what a source would bring, and the way back. */
export function extensionRoutes(luna: Luna): Route[] {
  const common = { tag: 'extensions', access: 'admin' } as const;
  return [
    defineRoute({
      ...common,
      method: 'get',
      path: root,
      summary: 'All extensions.',
      answer: z.object({ extensions: z.array(extensionView) }),
      handle: async () => ({ extensions: await luna.admin.extensions() }),
    }),
    defineRoute({
      ...common,
      method: 'get',
      path: `${root}/{name}`,
      summary: 'One extension with its tools and the programs that it wants kept running.',
      params: named,
      answer: extensionDetailView,
      handle: ({ params }) => luna.admin.extension(params.name),
    }),
    defineRoute({
      ...common,
      method: 'post',
      path: `${root}/inspect`,
      summary: 'Fetches a source and shows what it brings. Nothing of it is run.',
      body: z.object({ source: z.string().min(1).max(2_000), name: sourceName.optional() }),
      answer: inspectionView,
      handle: ({ body }, ctx) => luna.updates.inspect(body.source, { name: body.name, signal: abandonedOf(ctx) }),
    }),
    defineRoute({
      ...common,
      method: 'post',
      path: `${root}/upload`,
      summary: 'Takes a zip file of an extension, the bytes as the body.',
      description: `Up to ${maxUploadBytes / 1024 / 1024} MiB, as application/zip. \`source\` of the answer names it for extensions/inspect.`,
      query: z.object({ name: z.string().max(200).default('extension.zip').describe('The name of the file.') }),
      answer: z.object({ source: z.string(), bytes: z.number() }),
      status: 201,
      handle: ({ query }, ctx) => {
        assertZip(ctx);
        return luna.updates.upload(ctx.req, query.name);
      },
    }),
    defineRoute({
      ...common,
      method: 'post',
      path: `${root}/{name}/rollback`,
      summary: 'Brings the version before back; the present one is kept as the one before.',
      params: named,
      answer: extensionDetailView.extend({ note: z.string().optional().describe('What to do yet.') }),
      handle: async ({ params }) => {
        const { note } = await luna.updates.rollback(params.name);
        return { ...(await luna.admin.extension(params.name)), ...(note !== undefined && { note }) };
      },
    }),
  ];
}

/** Refused before a byte of the body is read. */
function assertZip(ctx: Context): void {
  if (!ctx.is(...uploadTypes))
    throw new LunaError(
      'invalid_input',
      'Send the bytes of a zip file as the body, with Content-Type: application/zip.',
    );
  if ((ctx.request.length ?? 0) > maxUploadBytes)
    throw new LunaError('too_large', `An upload may have ${maxUploadBytes} bytes.`);
}

/** Aborted when the client goes away before it has its answer. */
function abandonedOf(ctx: Context): AbortSignal {
  const abandoned = new AbortController();
  ctx.res.once('close', () => {
    if (!ctx.res.writableEnded) abandoned.abort();
  });
  return abandoned.signal;
}
