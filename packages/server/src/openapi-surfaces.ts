import type { ZodOpenApiPathsObject } from 'zod-openapi';

const message = { 'application/json': { schema: { type: 'object' as const } } };
const done = { description: 'Done.' };
const jsonAnswer = { ...done, content: message };
const streamed = {
  ...done,
  content: { ...message, 'text/event-stream': { schema: { type: 'string' as const } } },
};
const refused = { description: 'Refused.' };

/** What answers in front of the routes, on Node's own request: hubs, OAuth and plain JSON-RPC. Written by hand. */
export const otherSurfaces: ZodOpenApiPathsObject = {
  '/api/mcp': hub('mcp_main', 'The hub `main`', 'accessToken'),
  '/api/mcp-{name}': {
    ...hub('mcp', 'A hub', 'hubKey'),
    parameters: [{ name: 'name', in: 'path', required: true, schema: { type: 'string' } }],
  },
  '/api/mcp/health': hubHealth('mcp_main_health', 'The health of the hub `main`', 'accessToken'),
  '/api/mcp-{name}/health': {
    ...hubHealth('mcp_health', 'The health of a hub', 'hubKey'),
    parameters: [{ name: 'name', in: 'path', required: true, schema: { type: 'string' } }],
  },
  '/mcp': {
    post: {
      operationId: 'plain_json_rpc',
      summary: 'Tools by plain JSON-RPC',
      description: 'One message, or a batch of up to 100. 404 while AUTH_TOKEN is not set.',
      tags: ['hubs'],
      security: [{ plainToken: [] }],
      requestBody: { required: true, content: message },
      responses: { '200': jsonAnswer, '204': { description: 'Nothing but notifications came.' }, default: jsonAnswer },
    },
  },
  '/v1/models': {
    get: {
      ...agents('list_models', 'Agents and presets, as OpenAI lists models'),
      responses: { '200': jsonAnswer, default: jsonAnswer },
    },
  },
  '/v1/chat/completions': {
    post: {
      ...agents('chat_completions', 'Ask an agent, as OpenAI has it'),
      requestBody: { required: true, content: message },
      responses: { '200': streamed, default: jsonAnswer },
    },
  },
  '/v1/responses': {
    post: {
      ...agents('responses', 'Ask an agent, as the newer API of OpenAI has it'),
      requestBody: { required: true, content: message },
      responses: { '200': streamed, default: jsonAnswer },
    },
  },
  '/.well-known/oauth-protected-resource/api/mcp': metadata('Where access to `main` is asked for (RFC 9728)'),
  '/.well-known/oauth-authorization-server': metadata('The endpoints of OAuth (RFC 8414)'),
  '/.well-known/openid-configuration': metadata('The same for clients of OpenID Connect'),
  '/api/jwks': metadata('The keys with which access tokens are signed'),
  '/api/authorize': {
    get: {
      operationId: 'authorize',
      summary: 'Where a client sends a person who should let it in',
      tags: ['clients'],
      security: [],
      responses: { '303': { description: 'On to the page that asks, or back to the client.' }, default: refused },
    },
  },
  '/api/token': form('token', 'A code or a refresh token for an access token'),
  '/api/revoke': form('revoke', 'End a token'),
  '/api/register': {
    post: {
      operationId: 'register',
      summary: 'Register a client (RFC 7591)',
      tags: ['clients'],
      security: [],
      requestBody: { required: true, content: message },
      responses: { '201': jsonAnswer, default: jsonAnswer },
    },
  },
};

function agents(operationId: string, summary: string) {
  const security: Record<string, string[]>[] = [{ agentKey: [] }, { session: [] }];
  return { operationId, summary, description: 'Also below `/api/agent/v1`.', tags: ['agents'], security };
}

function hubHealth(operationId: string, summary: string, scheme: string): ZodOpenApiPathsObject[string] {
  return {
    get: {
      operationId,
      summary,
      description: 'How the hub is, how many tools it shows, and how the command-line plugins behind it are.',
      tags: ['hubs'],
      security: [{ [scheme]: [] }],
      responses: { '200': jsonAnswer, default: jsonAnswer },
    },
  };
}

function hub(id: string, what: string, scheme: string): ZodOpenApiPathsObject[string] {
  const common = { tags: ['hubs'], security: [{ [scheme]: [] }] };
  return {
    post: {
      ...common,
      operationId: `post_${id}`,
      summary: `${what}: a message of MCP over streamable HTTP`,
      requestBody: { required: true, content: message },
      responses: {
        '200': {
          ...done,
          content: { ...message, 'text/event-stream': { schema: { type: 'string' as const } } },
        },
        '202': { description: 'A notification or an answer was taken.' },
        default: jsonAnswer,
      },
    },
    get: {
      ...common,
      operationId: `get_${id}`,
      summary: `${what}: the stream of a session of the 2025 protocols`,
      responses: {
        '200': { ...done, content: { 'text/event-stream': { schema: { type: 'string' as const } } } },
        default: jsonAnswer,
      },
    },
    delete: {
      ...common,
      operationId: `delete_${id}`,
      summary: `${what}: end a session`,
      responses: { '200': done, default: jsonAnswer },
    },
  };
}

function metadata(summary: string): ZodOpenApiPathsObject[string] {
  return { get: { summary, tags: ['clients'], security: [], responses: { '200': jsonAnswer } } };
}

function form(operationId: string, summary: string): ZodOpenApiPathsObject[string] {
  return {
    post: {
      operationId,
      summary,
      tags: ['clients'],
      security: [],
      requestBody: {
        required: true,
        content: { 'application/x-www-form-urlencoded': { schema: { type: 'object' as const } } },
      },
      responses: { '200': jsonAnswer, default: jsonAnswer },
    },
  };
}
