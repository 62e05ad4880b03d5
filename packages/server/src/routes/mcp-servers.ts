import { hubToolConfig } from '@luna/core/config';
import { clientSetupView, hubWithKeyView, type Luna } from '@luna/core/control';
import { z } from 'zod';
import { clientSetups } from '../client-setups.ts';
import { defineRoute, type Route } from './contract.ts';

const base = '/api/supervisor/mcp-servers';
const inPath = z.object({ name: z.string().describe('The hub.') });
const newBody = z.object({
  name: z.string(),
  show_key: z.boolean().optional().describe('`false`: only a hash of the key is kept. Default: `true`.'),
});
const changeBody = z.object({
  name: z.string().optional().describe('Another name.'),
  rate_limit: z
    .object({ calls_per_minute: z.int().positive() })
    .nullable()
    .optional()
    .describe('`null` takes the limit away.'),
  all_tools: z.boolean().optional().describe('Switches all tools that there are now on or off.'),
  enabled: z.boolean().optional(),
  tool_config: z
    .record(z.string(), hubToolConfig.nullable())
    .optional()
    .describe('Merged tool by tool; `null` takes the setting of a tool away.'),
});

/** Hubs: list, create, change, delete, give another key. */
export function mcpServerRoutes(luna: Luna): Route[] {
  const common = { tag: 'hubs', access: 'admin' } as const;
  return [
    defineRoute({
      ...common,
      method: 'get',
      path: base,
      summary: 'Hubs with their keys',
      answer: z.object({ servers: z.array(hubWithKeyView) }),
      handle: () => ({ servers: luna.admin.hubs() }),
    }),
    defineRoute({
      ...common,
      method: 'post',
      path: base,
      summary: 'Create a hub',
      body: newBody,
      answer: hubWithKeyView,
      status: 201,
      handle: ({ body: { name, show_key } }) => luna.admin.createHub(name, { showKey: show_key }),
    }),
    defineRoute({
      ...common,
      method: 'get',
      path: `${base}/{name}/clients`,
      summary: 'For each common client what to copy, and where to',
      params: inPath,
      answer: z.object({ clients: z.array(clientSetupView) }),
      handle: ({ params }) => ({ clients: clientSetups(luna.admin.hub(params.name), luna.paths.root) }),
    }),
    defineRoute({
      ...common,
      method: 'patch',
      path: `${base}/{name}`,
      summary: 'Change a hub',
      params: inPath,
      body: changeBody,
      answer: hubWithKeyView,
      handle: ({ params, body }) => luna.admin.changeHub(params.name, body),
    }),
    defineRoute({
      ...common,
      method: 'delete',
      path: `${base}/{name}`,
      summary: 'Delete a hub',
      params: inPath,
      async handle({ params }) {
        await luna.admin.deleteHub(params.name);
        return undefined;
      },
    }),
    defineRoute({
      ...common,
      method: 'post',
      path: `${base}/{name}/regenerate-key`,
      summary: 'Give a hub another key',
      description: 'Clients with the former key are disconnected.',
      params: inPath,
      answer: hubWithKeyView,
      handle: ({ params }) => luna.admin.regenerateHubKey(params.name),
    }),
  ];
}
