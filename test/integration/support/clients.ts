import { join } from 'node:path';
import { Client as ModernClient, StreamableHTTPClientTransport as ModernHttp } from '@modelcontextprotocol/client';
import { StdioClientTransport as ModernStdio } from '@modelcontextprotocol/client/stdio';
import { Client as V1Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as V1Stdio } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as V1Http } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { onTestFinished } from 'vitest';
import { type RunningLuna, repository } from './luna-process.ts';

/** What the tests need of a client, whichever line of the SDK and era of the protocol it is. */
export interface TestClient {
  readonly protocolVersion: string | undefined;
  tools(): Promise<{ name: string; inputSchema: Record<string, unknown> }[]>;
  call(name: string, args?: Record<string, unknown>): Promise<CallResult>;
  /** Settles at the next `list_changed` that comes after this was called. */
  nextListChange(): Promise<void>;
  close(): Promise<void>;
}

export interface CallResult {
  readonly content: { type: string; text?: string }[];
  readonly structuredContent?: unknown;
  readonly isError?: boolean;
}

export const clientKinds = ['sdk 1.x, 2025-11-25', 'client 2.x, 2025-11-25', 'client 2.x, 2026-07-28'] as const;
export type ClientKind = (typeof clientKinds)[number];

/** A client of this kind, connected to a hub over HTTP. */
export async function connectHttp(kind: ClientKind, luna: RunningLuna, hub = 'default'): Promise<TestClient> {
  const requestInit = { headers: { authorization: `Bearer ${await luna.hubKey(hub)}` } };
  const url = luna.hubUrl(hub);
  return kind.startsWith('sdk 1')
    ? connectV1(new V1Http(url, { requestInit }))
    : connectModern(new ModernHttp(url, { requestInit }), kind);
}

/** A client of this kind, connected through `luna mcp`. */
export async function connectStdio(kind: ClientKind, luna: RunningLuna): Promise<TestClient> {
  const server = {
    command: process.execPath,
    args: [join(repository, 'packages', 'server', 'bin', 'luna.mjs'), 'mcp', '--home', luna.home],
    stderr: 'ignore' as const,
  };
  return kind.startsWith('sdk 1') ? connectV1(new V1Stdio(server)) : connectModern(new ModernStdio(server), kind);
}

async function connectV1(transport: V1Http | V1Stdio): Promise<TestClient> {
  const client = new V1Client({ name: 'test', version: '1.0.0' });
  const changes = new Changes();
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => changes.tell());
  await client.connect(transport);
  onTestFinished(() => client.close());
  return {
    protocolVersion: 'protocolVersion' in transport ? transport.protocolVersion : undefined,
    tools: async () => (await client.listTools()).tools,
    call: async (name, args = {}) => (await client.callTool({ name, arguments: args })) as CallResult,
    nextListChange: () => changes.next(),
    close: () => client.close(),
  };
}

async function connectModern(transport: ModernHttp | ModernStdio, kind: ClientKind): Promise<TestClient> {
  const changes = new Changes();
  const client = new ModernClient(
    { name: 'test', version: '1.0.0' },
    {
      versionNegotiation: { mode: kind.endsWith('2026-07-28') ? { pin: '2026-07-28' } : 'legacy' },
      listChanged: { tools: { autoRefresh: false, debounceMs: 0, onChanged: () => changes.tell() } },
    },
  );
  await client.connect(transport);
  onTestFinished(() => client.close());
  return {
    protocolVersion: client.getNegotiatedProtocolVersion(),
    tools: async () => (await client.listTools()).tools,
    call: async (name, args = {}) => (await client.callTool({ name, arguments: args })) as CallResult,
    nextListChange: () => changes.next(),
    close: () => client.close(),
  };
}

class Changes {
  #waiting: (() => void)[] = [];

  tell(): void {
    for (const settle of this.#waiting.splice(0)) settle();
  }

  next(): Promise<void> {
    return new Promise((settle) => this.#waiting.push(settle));
  }
}
