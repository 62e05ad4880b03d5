import {
  Client,
  SdkHttpError,
  SSEClientTransport,
  StreamableHTTPClientTransport,
  type Transport,
} from '@modelcontextprotocol/client';
import { LunaError, messageOf, toLunaError } from '../../errors/index.ts';
import { refusalIn } from '../egress/index.ts';
import type { ConnectOptions, McpTarget } from './connect-options.ts';
import { McpConnection } from './connection.ts';
import { relayedCapabilities } from './questions.ts';
import { StdioTransport } from './stdio-transport.ts';

/** How long a server on standard streams may take to answer the question for the newer protocol, in ms. */
const negotiationLimitMs = 3_000;

/** How long a transport may take to open beside what it then sends, in milliseconds. */
const transportLimitMs = 1_000;

/** Connects to an MCP server and negotiates the protocol. Throws a LunaError that says why it could not. */
export async function openConnection(options: ConnectOptions): Promise<McpConnection> {
  const { target } = options;
  if (target.kind === 'stdio') return openStdio(options, target);
  if (target.kind !== 'http-or-sse') return openHttp(options, target.kind, target);
  try {
    return await openHttp(options, 'http', target);
  } catch (thrown) {
    if (!refusesStreamableHttp(thrown)) throw thrown;
    return openHttp(options, 'sse', target);
  }
}

async function openStdio(options: ConnectOptions, target: McpTarget & { kind: 'stdio' }): Promise<McpConnection> {
  const attempt = async (legacy: boolean) => {
    const transport = new StdioTransport({
      ...target,
      cwd: target.cwd ?? process.cwd(),
      owner: options.owner,
      onLog: options.onLog,
    });
    try {
      return await handshake(transport, options, legacy);
    } catch (thrown) {
      await transport.close();
      const last = transport.log().at(-1);
      const why = transport.endedByItself ? `it ${transport.exit}` : messageOf(thrown);
      if (thrown instanceof LunaError && thrown.code === 'command_not_found') throw thrown;
      throw new LunaError(
        'source_unavailable',
        `"${target.command}" did not become an MCP server: ${asSentence(why)}${last ? ` Its last words: ${last}` : ''}`,
        { cause: thrown, details: { log: transport.log() } },
      );
    }
  };
  if (options.knownLegacy) return attempt(true);
  try {
    return await attempt(false);
  } catch (thrown) {
    if (options.signal.aborted || (thrown instanceof LunaError && thrown.code === 'command_not_found')) throw thrown;
    // Some servers of the older protocol end themselves when they are asked for the newer one.
    return attempt(true);
  }
}

async function openHttp(
  options: ConnectOptions,
  kind: 'http' | 'sse',
  target: Exclude<McpTarget, { kind: 'stdio' }>,
): Promise<McpConnection> {
  const requestInit = { headers: { ...target.headers } };
  const transport =
    kind === 'http'
      ? new StreamableHTTPClientTransport(target.url, {
          requestInit,
          fetch: options.wayOut?.fetch,
          reconnectionOptions: {
            maxRetries: 0,
            initialReconnectionDelay: 500,
            maxReconnectionDelay: 500,
            reconnectionDelayGrowFactor: 1,
          },
        })
      : new SSEClientTransport(target.url, { requestInit, fetch: options.wayOut?.fetch });
  try {
    return await handshake(transport, options, kind === 'sse' || options.knownLegacy === true);
  } catch (thrown) {
    await transport.close();
    // The event source of the older transport reports failures without their cause.
    throw (kind === 'sse' ? options.wayOut?.refusal : undefined) ?? toLunaErrorOfConnect(thrown, target.url);
  }
}

/** The SDK's limit is one of a request; a transport that never comes to send one is waited for no longer either. */
async function handshake(transport: Transport, options: ConnectOptions, legacy: boolean): Promise<McpConnection> {
  const { signal, connectLimitMs } = options;
  signal.throwIfAborted();
  const broken = Promise.withResolvers<never>();
  const breakOff = () => {
    void transport.close();
    broken.reject(signal.reason);
  };
  // Agreeing on a protocol may take two requests, each with its own limit.
  const limitMs = (legacy ? 1 : 2) * connectLimitMs + transportLimitMs;
  const late = setTimeout(() => {
    broken.reject(new LunaError('timeout', `The server was not ready within ${Math.round(limitMs / 1000)} seconds.`));
  }, limitMs);
  signal.addEventListener('abort', breakOff, { once: true });
  try {
    return await Promise.race([connect(transport, options, legacy), broken.promise]);
  } finally {
    clearTimeout(late);
    signal.removeEventListener('abort', breakOff);
  }
}

async function connect(transport: Transport, options: ConnectOptions, legacy: boolean): Promise<McpConnection> {
  const client = new Client(options.clientInfo, {
    capabilities: relayedCapabilities,
    versionNegotiation: {
      mode: 'auto',
      ...(options.target.kind === 'stdio' && { probe: { timeoutMs: negotiationLimitMs } }),
    },
    listChanged: {
      tools: watched(() => options.onListChanged('tools')),
      resources: watched(() => options.onListChanged('resources')),
      prompts: watched(() => options.onListChanged('prompts')),
    },
  });
  await client.connect(transport, {
    timeout: options.connectLimitMs,
    signal: options.signal,
    ...(legacy && { prior: { kind: 'legacy' } }),
  });
  const connection = new McpConnection(client, transport, options);
  // The stream on which a 2026-07-28 server tells of changes: without it the connection would go deaf unnoticed.
  void client.autoOpenedSubscription?.closed.then((how) => {
    if (how !== 'local') connection.abandon('The server ended the stream of its notifications.');
  });
  return connection;
}

function watched(onChanged: () => void) {
  return { autoRefresh: false, debounceMs: 10, onChanged };
}

function toLunaErrorOfConnect(thrown: unknown, url: URL): LunaError {
  const refusal = refusalIn(thrown);
  if (refusal) return refusal;
  const status = thrown instanceof SdkHttpError ? thrown.status : undefined;
  const cause = thrown instanceof Error && thrown.cause instanceof Error ? `: ${thrown.cause.message}` : '';
  const hint = status === 401 || status === 403 ? ' Check the headers that it needs.' : '';
  return new LunaError(
    'source_unavailable',
    `Cannot connect to ${url.origin}${url.pathname}: ${messageOf(thrown)}${cause}${hint}`,
    { cause: thrown, details: { status } },
  );
}

/** Servers of the older HTTP transport refuse a POST to their stream's address with one of these. */
function refusesStreamableHttp(thrown: unknown): boolean {
  const status = toLunaError(thrown).details?.status;
  return status === 400 || status === 404 || status === 405 || status === 406;
}

function asSentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
