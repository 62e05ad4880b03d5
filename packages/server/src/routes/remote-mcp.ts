import { parseJsonText } from '@luna/core/config';
import { importOutcomeView, type Luna, remoteServerView } from '@luna/core/control';
import { LunaError, messageOf } from '@luna/core/errors';
import { z } from 'zod';
import { defineRoute, type Route } from './contract.ts';

const base = '/api/supervisor/remote-mcp';
const inPath = z.object({ id: z.string().describe('The server.') });
const strings = z.record(z.string(), z.string());
const newServerBody = z.object({
  id: z.string().optional(),
  title: z.string().optional(),
  url: z.string().optional(),
  transport: z.enum(['stdio', 'http', 'sse']).optional(),
  headers: strings.optional(),
  command: z.string().optional(),
  args: z.array(z.string()).optional(),
  env: strings.optional(),
  cwd: z.string().optional(),
  allow_private_network: z.boolean().optional(),
  oauth: z
    .object({
      client_id: z.string().optional(),
      client_secret: z.string().optional(),
      scope: z.string().optional(),
    })
    .optional(),
  timeout_seconds: z.number().optional(),
});

const changeBody = z.object({ enabled: z.boolean().optional(), allow_private_network: z.boolean().optional() });

/** MCP servers whose tools Luna serves: list, add, import, switch, remove. */
export function remoteMcpRoutes(luna: Luna): Route[] {
  const common = { tag: 'sources', access: 'admin' } as const;
  return [
    defineRoute({
      ...common,
      method: 'get',
      path: `${base}/list`,
      summary: 'MCP servers with their health and tools',
      answer: z.object({ servers: z.array(remoteServerView) }),
      handle: () => ({ servers: luna.admin.remoteServers() }),
    }),
    defineRoute({
      ...common,
      method: 'post',
      path: `${base}/add`,
      summary: 'Add an MCP server by its URL or its command',
      description: 'Answers after the first attempt to connect, or after 5 seconds: look at `health`.',
      body: newServerBody,
      answer: remoteServerView,
      status: 201,
      handle: ({ body }) => luna.admin.addRemoteServer(body),
    }),
    defineRoute({
      ...common,
      method: 'post',
      path: `${base}/import`,
      summary: 'Take over an mcpServers document',
      description: 'The document itself, or `{ "text": … }` with one as text, in which comments are allowed.',
      body: z.unknown(),
      answer: importOutcomeView,
      handle({ body }) {
        // Pasted text may have comments, as files of VS Code do, which no JSON body can.
        const pasted = z.strictObject({ text: z.string() }).safeParse(body).data;
        return luna.admin.importServers(pasted ? parsePasted(pasted.text) : body);
      },
    }),
    defineRoute({
      ...common,
      method: 'post',
      path: `${base}/{id}/test`,
      summary: 'Ask an MCP server whether it is there',
      params: inPath,
      answer: remoteServerView,
      handle: ({ params }) => luna.admin.testRemoteServer(params.id),
    }),
    defineRoute({
      ...common,
      method: 'patch',
      path: `${base}/{id}`,
      summary: 'Switch an MCP server',
      params: inPath,
      body: changeBody,
      answer: remoteServerView,
      handle: ({ params, body }) => luna.admin.changeRemoteServer(params.id, body),
    }),
    defineRoute({
      ...common,
      method: 'delete',
      path: `${base}/{id}`,
      summary: 'Remove an MCP server',
      params: inPath,
      async handle({ params }) {
        await luna.admin.removeRemoteServer(params.id);
        return undefined;
      },
    }),
  ];
}

function parsePasted(text: string): unknown {
  try {
    return parseJsonText(text, z.unknown(), 'the text');
  } catch (thrown) {
    throw new LunaError('invalid_input', messageOf(thrown), { cause: thrown });
  }
}
