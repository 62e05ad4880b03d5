import { type Luna, pendingToolView } from '@luna/core/control';
import { z } from 'zod';
import { defineRoute, type Route } from './contract.ts';

const base = '/api/supervisor/pinned-tools';
const decision = z.object({
  server: z.string().min(1),
  tool: z.string().min(1).optional().describe('Left out: all of the server that wait.'),
});
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
      body: decision,
      async handle({ body: { server, tool } }) {
        await luna.pinnedTools.approve(server, tool);
        return { pending: luna.pinnedTools.pending() };
      },
    }),
    defineRoute({
      ...common,
      method: 'post',
      path: `${base}/reject`,
      summary: 'Keep a tool held back',
      body: decision,
      async handle({ body: { server, tool } }) {
        await luna.pinnedTools.reject(server, tool);
        return { pending: luna.pinnedTools.pending() };
      },
    }),
  ];
}
