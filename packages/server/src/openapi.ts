import { masterConfigSchema } from '@luna/core/config';
import * as control from '@luna/core/control';
import { z } from 'zod';
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiPathsObject } from 'zod-openapi';
import { tidySchemas } from './openapi-components.ts';
import { otherSurfaces } from './openapi-surfaces.ts';
import { type Access, type Route, statusOf } from './routes/contract.ts';

/** What the tags of routes mean, in the order in which a reader meets them. A tag that is not here stands at the end. */
const tags: Readonly<Record<string, string>> = {
  state: 'How Luna is, and what it can do.',
  'sign-in': 'People come in.',
  hubs: 'What MCP clients connect to.',
  clients: 'Clients that people let in.',
  agents: 'Agents, presets and their runs.',
  tools: 'All tools, and calls of them.',
  sources: 'Where tools come from.',
  configuration: 'Settings and keys.',
};

const security: Readonly<Record<Access, Record<string, string[]>[]>> = {
  open: [],
  admin: [{ session: [] }, { supervisorToken: [] }],
  agent: [{ session: [] }, { supervisorToken: [] }, { agentKey: [] }],
};

/** The OpenAPI 3.1 document of these routes, and of what answers in front of them. */
export function openApiDocument(routes: readonly Route[], version: string): Record<string, unknown> {
  const paths: ZodOpenApiPathsObject = {};
  for (const route of routes) paths[route.path] = { ...paths[route.path], [route.method]: operationOf(route) };
  for (const [path, surface] of Object.entries(otherSurfaces)) paths[path] = surface;
  const used = [...new Set([...Object.keys(tags), ...routes.map(({ tag }) => tag)])];
  const document = createDocument(
    {
      openapi: '3.1.0',
      info: {
        title: 'Luna',
        version,
        description: 'Control of a Luna. A hub speaks MCP and is named here only by its address.',
      },
      tags: used.map((name) => ({ name, ...(tags[name] && { description: tags[name] }) })),
      paths,
      components: {
        schemas: namedSchemas(),
        securitySchemes: {
          session: { type: 'apiKey', in: 'cookie', name: 'luna_session' },
          supervisorToken: { type: 'http', scheme: 'bearer', description: 'SUPERVISOR_API_TOKEN of the home.' },
          agentKey: { type: 'http', scheme: 'bearer', description: 'AGENT_API_KEY of the home.' },
          hubKey: { type: 'http', scheme: 'bearer', description: 'The key of the hub.' },
          accessToken: { type: 'http', scheme: 'bearer', description: 'An access token for the hub `main`.' },
          plainToken: { type: 'http', scheme: 'bearer', description: 'AUTH_TOKEN of the home.' },
        },
      },
    },
    { allowEmptySchema: { any: true, unknown: true, custom: true, undefined: true } },
  );
  return { ...tidySchemas(document) };
}

function operationOf(route: Route): ZodOpenApiOperationObject {
  const { params, query, body, answer, media, access } = route;
  const status = String(statusOf(route));
  const content = media !== undefined ? { [media]: { schema: answer ?? z.string() } } : undefined;
  const answered = content ?? (answer && { 'application/json': { schema: answer } });
  const further = Object.entries(route.otherStatuses ?? {}).map(([code, description]) => [
    code,
    { description, ...(answered && !code.startsWith('3') && { content: answered }) },
  ]);
  return {
    operationId: operationId(route),
    summary: route.summary,
    ...(route.description !== undefined && { description: route.description }),
    tags: [route.tag],
    security: security[access],
    ...((params || query) && { requestParams: { ...(params && { path: params }), ...(query && { query }) } }),
    ...(body && { requestBody: { required: true, content: { 'application/json': { schema: body } } } }),
    responses: {
      [status]: {
        description: route.status === 302 ? 'On to another page.' : 'Done.',
        ...(answered && { content: answered }),
      },
      ...Object.fromEntries(further),
      default: {
        description: 'It went wrong; `error.code` says how.',
        content: { 'application/json': { schema: control.errorView } },
      },
    },
  };
}

/** `PATCH /api/supervisor/mcp-servers/{name}` is `patch_mcp_servers_name`. */
function operationId({ method, path }: Route): string {
  const words = path.replace(/^\/api\/supervisor(?!\/health)/, '').match(/[A-Za-z0-9]+/g) ?? [];
  return [method, ...words].join('_');
}

/** The views by their names, so that they stand once in the document. */
function namedSchemas(): Record<string, z.ZodType> {
  const views = Object.entries(control).flatMap(([name, value]): [string, z.ZodType][] =>
    value instanceof z.ZodType ? [[name.charAt(0).toUpperCase() + name.slice(1), value]] : [],
  );
  return { ...Object.fromEntries(views), MasterConfig: masterConfigSchema };
}
