import type {
  ClientSetupView,
  ErrorView,
  HealthView,
  HubWithKeyView,
  ImportOutcomeView,
  OAuthClientView,
  PendingToolView,
  RemoteServerView,
  ServiceView,
  SourceView,
  StatusView,
  ToolCallAnswerView,
  ToolsBySourceView,
} from '@luna/core/control';
import { atBase } from '../base.ts';

/** What the server answered instead of what was asked for. The message says what to do. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly code: string;

  /** @param status The HTTP status; 0 where nothing answered. */
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

/** Who is signed in. */
export interface Me {
  readonly account: string;
  readonly name: string;
  /** Whether this is the local account, and has a password. */
  readonly hasPassword: boolean;
}

/** What a page changes of a hub. */
export interface HubChange {
  readonly name?: string;
  readonly enabled?: boolean;
  readonly rate_limit?: { calls_per_minute: number } | null;
  readonly tool_config?: ToolSwitches;
}

type ToolSwitches = Record<string, { enabled_in_mcp: boolean }>;

/** What can be done with a service. */
export type ServiceVerb = 'start' | 'stop' | 'restart';

/** The routes of the server that the pages use. */
export const api = {
  signIn: (token: string) => ask<void>('POST', '/auth/once', { token }),
  signInByPassword: (name: string, password: string) => ask<void>('POST', '/auth/login', { name, password }),
  /** How people can sign in here, beside by a link. */
  signInMethods: () => ask<{ github: boolean; password: boolean }>('GET', '/auth/methods'),
  me: () => ask<Me>('GET', '/auth/me'),
  setPassword: (name: string, password: string) => ask<void>('PUT', '/auth/password', { name, password }),
  /** The programs that people have let in. */
  oauthClients: () => ask<{ clients: OAuthClientView[] }>('GET', '/api/supervisor/oauth-clients'),
  disconnectClient: (id: string) => ask<void>('DELETE', `/api/supervisor/oauth-clients/${encodeURIComponent(id)}`),
  signOut: () => ask<void>('POST', '/auth/logout'),
  health: () => ask<HealthView>('GET', '/api/supervisor/health'),
  status: () => ask<StatusView>('GET', '/api/supervisor/status'),
  tools: () => ask<ToolsBySourceView>('GET', '/api/supervisor/tools/all'),
  /** An aborted call is stopped at the tool too. */
  callTool: (name: string, args: Record<string, unknown>, signal?: AbortSignal) =>
    ask<ToolCallAnswerView>('POST', '/api/supervisor/tools/call', { name, args }, signal),
  hubs: () => ask<{ servers: HubWithKeyView[] }>('GET', '/api/supervisor/mcp-servers'),
  createHub: (name: string, showKey: boolean) =>
    ask<HubWithKeyView>('POST', '/api/supervisor/mcp-servers', { name, show_key: showKey }),
  changeHub: (name: string, change: HubChange) =>
    ask<HubWithKeyView>('PATCH', `/api/supervisor/mcp-servers/${encodeURIComponent(name)}`, change),
  /** How clients are connected to the hub. */
  hubClients: (name: string) =>
    ask<{ clients: ClientSetupView[] }>('GET', `/api/supervisor/mcp-servers/${encodeURIComponent(name)}/clients`),
  deleteHub: (name: string) => ask<void>('DELETE', `/api/supervisor/mcp-servers/${encodeURIComponent(name)}`),
  regenerateKey: (name: string) =>
    ask<HubWithKeyView>('POST', `/api/supervisor/mcp-servers/${encodeURIComponent(name)}/regenerate-key`),
  servers: () => ask<{ servers: RemoteServerView[] }>('GET', '/api/supervisor/remote-mcp/list'),
  addServer: (server: NewServer) => ask<RemoteServerView>('POST', '/api/supervisor/remote-mcp/add', server),
  setServerEnabled: (id: string, enabled: boolean) =>
    ask<RemoteServerView>('PATCH', `/api/supervisor/remote-mcp/${encodeURIComponent(id)}`, { enabled }),
  /** Asks the server whether it is there. */
  testServer: (id: string) =>
    ask<RemoteServerView>('POST', `/api/supervisor/remote-mcp/${encodeURIComponent(id)}/test`),
  /** Where the person has to go to authorize Luna at the server. */
  authorizeServer: (id: string) =>
    ask<{ url: string }>('POST', `/api/supervisor/remote-mcp/${encodeURIComponent(id)}/authorize`),
  disconnectServer: (id: string) =>
    ask<void>('DELETE', `/api/supervisor/remote-mcp/${encodeURIComponent(id)}/authorize`),
  /** Tools that changed at their servers and wait for a decision. */
  pinnedTools: () => ask<{ pending: PendingToolView[] }>('GET', '/api/supervisor/pinned-tools'),
  /** Agrees to the very change that was shown; `conflict` when it is another one by now. */
  approveTool: ({ server, tool, digest }: PendingToolView) =>
    ask<void>('POST', '/api/supervisor/pinned-tools/approve', { server, tool, digest }),
  rejectTool: ({ server, tool }: PendingToolView) =>
    ask<void>('POST', '/api/supervisor/pinned-tools/reject', { server, tool }),
  /** Takes over the configuration of another client, as text. */
  importServers: (text: string) => ask<ImportOutcomeView>('POST', '/api/supervisor/remote-mcp/import', { text }),
  removeServer: (id: string) => ask<void>('DELETE', `/api/supervisor/remote-mcp/${encodeURIComponent(id)}`),
  services: () => ask<{ services: ServiceView[] }>('GET', '/api/supervisor/services'),
  changeService: (name: string, verb: ServiceVerb) =>
    ask<ServiceView>('POST', `/api/supervisor/services/${encodeURIComponent(name)}/${verb}`),
  setExtensionEnabled: (name: string, enabled: boolean) =>
    ask<SourceView>('POST', `/api/supervisor/extensions/${encodeURIComponent(name)}/${enabled ? 'enable' : 'disable'}`),
};

let signedOut: () => void = () => undefined;

/** Names what is done when the server does not know (any more) who asks. */
export function onSignedOut(handler: () => void): void {
  signedOut = handler;
}

/** Asks a route, by its path within Luna. A body is sent as JSON, or a file as it is. Throws an {@link ApiError}. */
export async function ask<Answer>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Answer> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(atBase(path), {
      method,
      signal,
      ...(body instanceof Blob && { headers: { 'content-type': body.type }, body }),
      ...(body !== undefined &&
        !(body instanceof Blob) && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    text = await response.text();
  } catch {
    throw new ApiError(
      0,
      'unreachable',
      'Luna does not answer. Is it still running? This page goes on by itself when it is back.',
    );
  }
  if (response.ok) return answerOf<Answer>(response.status, text);
  if (response.status === 401) signedOut();
  throw errorOf(response.status, text);
}

function answerOf<Answer>(status: number, text: string): Answer {
  try {
    return (text === '' ? undefined : JSON.parse(text)) as Answer;
  } catch {
    throw new ApiError(status, 'unknown', 'What answered is not Luna. Is something else in front of it?');
  }
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
