import { type Luna, pendingToolView } from '@luna/core/control';
import { z } from 'zod';
import { defineRoute, type Route } from './contract.ts';

const base = '/api/supervisor/pinned-tools';
const server = z.string().min(1);
const tool = z.string().min(1);
const digest = z
  .string({ error: 'is missing. Look at what waits (GET /pinned-tools) and send its digest along' })
  .min(1);
const approvedSchema = z.preprocess(
  oneAsList,
  z.object({ server, tools: z.array(z.object({ tool, digest })).min(1).max(10_000) }),
);
const rejectedSchema = z.object({ server, tool: tool.optional() });

const pendingTools = z.object({ pending: z.array(pendingToolView) });

/** Tools of MCP servers whose definitions changed, and the decision on them. */
export function pinnedToolRoutes(luna: Luna): Route[] {
  const common = { tag: 'tools', access: 'admin', answer: pendingTools } as const;
  return [
    defineRoute({
      ...common,
      method: 'get',
      path: base,
      summary: 'Tools that say something else than was agreed to',
      handle: () => ({ pending: luna.pinnedTools.pending() }),
    }),
    defineRoute({
      ...common,
      method: 'post',
      path: `${base}/approve`,
      summary: 'Agree to what a tool says now',
      body: approvedSchema,
      async handle({ body: { server, tools } }) {
        await luna.pinnedTools.approve(server, tools);
        return { pending: luna.pinnedTools.pending() };
      },
    }),
    defineRoute({
      ...common,
      method: 'post',
      path: `${base}/reject`,
      summary: 'Keep a tool held back',
      body: rejectedSchema,
      async handle({ body: { server, tool } }) {
        await luna.pinnedTools.reject(server, tool);
        return { pending: luna.pinnedTools.pending() };
      },
    }),
  ];
}

/** `{ server, tool, digest }` stands for a list of one. */
function oneAsList(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || 'tools' in body) return body;
  const { tool: named, digest: seen, ...rest } = body as Record<string, unknown>;
  return named === undefined ? body : { ...rest, tools: [{ tool: named, digest: seen }] };
}
