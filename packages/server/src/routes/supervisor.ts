import { type Luna, sourceView, statusView, toolCallAnswerView, toolsBySourceView } from '@luna/core/control';
import { z } from 'zod';
import { bearerOf, personOf } from '../auth/guards.ts';
import type { SignInLinks } from '../auth/sign-in-links.ts';
import { requestIdOf } from '../log/request-id.ts';
import { defineRoute, type Route } from './contract.ts';

const base = '/api/supervisor';
const callBody = z.object({
  name: z.string(),
  args: z.record(z.string(), z.unknown()).optional(),
  hub: z.string().optional().describe('Call only what this hub has.'),
  preset: z.string().optional().describe('Call only what this preset has.'),
});

/** What Luna shows of itself, calls of tools, and switches of extensions. */
export function supervisorRoutes(luna: Luna, links: SignInLinks): Route[] {
  const common = { access: 'admin' } as const;
  const switches = [
    ['enable', true, 'Switch an extension on'],
    ['disable', false, 'Switch an extension off'],
  ] as const;
  return [
    defineRoute({
      ...common,
      method: 'get',
      path: `${base}/status`,
      summary: 'Version, hubs, sources with their health, the latest calls',
      tag: 'state',
      answer: statusView,
      handle: () => luna.status(),
    }),
    defineRoute({
      ...common,
      method: 'get',
      path: `${base}/tools/all`,
      summary: 'All sources with their tools',
      tag: 'tools',
      answer: toolsBySourceView,
      handle: () => luna.admin.tools(),
    }),
    defineRoute({
      ...common,
      method: 'get',
      path: `${base}/plugins`,
      summary: 'The command-line plugins with their tools and their health',
      tag: 'sources',
      answer: z.object({ plugins: toolsBySourceView.shape.sources }),
      async handle() {
        const { sources } = await luna.admin.tools();
        return { plugins: sources.filter(({ kind }) => kind === 'plugin') };
      },
    }),
    defineRoute({
      ...common,
      method: 'post',
      path: `${base}/tools/call`,
      summary: 'Call a tool',
      description:
        'A tool that failed is 200 with `isError` in its result. To close the connection is to cancel the call.',
      tag: 'tools',
      body: callBody,
      answer: toolCallAnswerView,
      handle({ body }, ctx) {
        const abandoned = new AbortController();
        ctx.req.once('close', () => {
          if (!ctx.res.writableEnded) abandoned.abort();
        });
        const caller =
          bearerOf(ctx.headers) === undefined ? { kind: 'ui', name: personOf(ctx)?.name } : { kind: 'api' };
        return luna.admin.callTool({ ...body, caller, signal: abandoned.signal, requestId: requestIdOf(ctx.req) });
      },
    }),
    defineRoute({
      ...common,
      method: 'post',
      path: `${base}/sign-in-links`,
      summary: 'Make a link that signs in once',
      tag: 'sign-in',
      answer: z.object({ url: z.string() }),
      status: 201,
      handle: () => ({ url: `${luna.publicUrl}/sign-in#token=${links.make()}` }),
    }),
    ...switches.map(([change, enabled, summary]) =>
      defineRoute({
        ...common,
        method: 'post',
        path: `${base}/extensions/{name}/${change}`,
        summary,
        tag: 'sources',
        params: z.object({ name: z.string() }),
        answer: sourceView,
        handle: ({ params }) => luna.admin.setExtensionEnabled(params.name, enabled),
      }),
    ),
  ];
}
