import type {
  ErrorView,
  HubWithKeyView,
  RemoteServerView,
  SourceView,
  StatusView,
  ToolCallAnswerView,
  ToolsBySourceView,
} from '@luna/core/control';

/** What the server answered instead of what was asked for. The message says what to do. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** A server to add: an address, or a command. */
export interface NewServer {
  readonly id?: string;
  readonly url?: string;
  readonly headers?: Record<string, string>;
  readonly command?: string;
  readonly args?: string[];
  readonly env?: Record<string, string>;
}

type ToolSwitches = Record<string, { enabled_in_mcp: boolean }>;

/** The routes of the server that the pages use. */
export const api = {
  signIn: (token: string) => ask<void>('POST', '/auth/once', { token }),
  signOut: () => ask<void>('POST', '/auth/logout'),
  status: () => ask<StatusView>('GET', '/api/supervisor/status'),
  tools: () => ask<ToolsBySourceView>('GET', '/api/supervisor/tools/all'),
  callTool: (name: string, args: Record<string, unknown>) =>
    ask<ToolCallAnswerView>('POST', '/api/supervisor/tools/call', { name, args }),
  hubs: () => ask<{ servers: HubWithKeyView[] }>('GET', '/api/supervisor/mcp-servers'),
  createHub: (name: string) => ask<HubWithKeyView>('POST', '/api/supervisor/mcp-servers', { name }),
  changeHub: (name: string, change: { enabled?: boolean; tool_config?: ToolSwitches }) =>
    ask<HubWithKeyView>('PATCH', `/api/supervisor/mcp-servers/${encodeURIComponent(name)}`, change),
  deleteHub: (name: string) => ask<void>('DELETE', `/api/supervisor/mcp-servers/${encodeURIComponent(name)}`),
  regenerateKey: (name: string) =>
    ask<HubWithKeyView>('POST', `/api/supervisor/mcp-servers/${encodeURIComponent(name)}/regenerate-key`),
  servers: () => ask<{ servers: RemoteServerView[] }>('GET', '/api/supervisor/remote-mcp/list'),
  addServer: (server: NewServer) => ask<RemoteServerView>('POST', '/api/supervisor/remote-mcp/add', server),
  setServerEnabled: (id: string, enabled: boolean) =>
    ask<RemoteServerView>('PATCH', `/api/supervisor/remote-mcp/${encodeURIComponent(id)}`, { enabled }),
  removeServer: (id: string) => ask<void>('DELETE', `/api/supervisor/remote-mcp/${encodeURIComponent(id)}`),
  setExtensionEnabled: (name: string, enabled: boolean) =>
    ask<SourceView>('POST', `/api/supervisor/extensions/${encodeURIComponent(name)}/${enabled ? 'enable' : 'disable'}`),
};

async function ask<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
  } catch {
    throw new ApiError(
      0,
      'unreachable',
      'Luna does not answer. Is it still running? This page goes on by itself when it is back.',
    );
  }
  const text = await response.text();
  if (response.ok) return (text === '' ? undefined : JSON.parse(text)) as Answer;
  throw errorOf(response.status, text);
}

/** The error that an answer tells of. */
export function errorOf(status: number, text: string): ApiError {
  const unknown = new ApiError(status, 'unknown', `Luna answered with HTTP ${status}.`);
  try {
    const { error }: Partial<ErrorView> = JSON.parse(text);
    return typeof error?.message === 'string' ? new ApiError(status, error.code, error.message) : unknown;
  } catch {
    // Not from Luna itself: a proxy in front, perhaps.
    return unknown;
  }
}
