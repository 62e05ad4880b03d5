import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, StreamableHTTPClientTransport, type Transport } from '@modelcontextprotocol/client';
import { LunaError, messageOf } from '../../errors/index.ts';
import {
  type McpObject,
  type PeerListKind,
  paramHeadersOf,
  paramHeaderValues,
  type SourceCall,
  type Tool,
  type ToolArguments,
  type ToolResult,
} from '../../tools/index.ts';
import type { ConnectOptions } from './connect-options.ts';
import { hear } from './hear.ts';
import { HttpPoster } from './http-post.ts';
import { legalEntries, listAll, namedTools } from './lists.ts';
import { Liveness, probeLimitMs } from './liveness.ts';
import { Questions, requestWithQuestions } from './questions.ts';
import { StdioTransport } from './stdio-transport.ts';
import { callAsTask, needsTask } from './task-call.ts';
import { isRefusal, Wire, type WireAgreement } from './wire.ts';

const maxResponseBytes = 256 * 1024 * 1024;

/** How long a server may take to answer that its session ends, in milliseconds. */
const farewellMs = 1_000;

/** One lasting connection to an MCP server, from the handshake to its end. */
export class McpConnection {
  readonly agreement: WireAgreement;
  readonly #client: Client;
  readonly #transport: Transport;
  readonly #poster: HttpPoster | undefined;
  readonly #wire: Wire;
  readonly #onLost: (reason: string) => void;
  readonly #options: ConnectOptions;
  readonly #questions: Questions;
  readonly #subscriptions = new Map<string, { close(): Promise<void> }>();
  readonly #liveness: Liveness;
  #retiring: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #over = false;

  constructor(client: Client, transport: Transport, options: ConnectOptions) {
    const modern = client.getProtocolEra() === 'modern';
    const protocolVersion = client.getNegotiatedProtocolVersion() ?? '';
    this.agreement = { modern, protocolVersion, clientInfo: options.clientInfo };
    this.#client = client;
    this.#transport = transport;
    this.#onLost = options.onLost;
    this.#options = options;
    const http =
      transport instanceof StreamableHTTPClientTransport && options.target.kind !== 'stdio'
        ? options.target
        : undefined;
    this.#poster =
      http &&
      new HttpPoster({
        url: http.url,
        maxResponseBytes,
        pool: options.wayOut?.pool,
        intercept: options.wayOut?.intercept,
      });
    this.#wire = new Wire({
      transport,
      agreement: this.agreement,
      poster: this.#poster,
      headers: http && lowerCased(http.headers ?? {}),
      onMessage: (message, request) => hear(message, request, this.#questions, options),
    });
    this.#questions = new Questions(this.#wire, options.clients);
    client.onclose = () =>
      this.#lost(
        transport instanceof StdioTransport
          ? `The server ${transport.exit ?? 'closed its output'}.`
          : 'The server closed the connection.',
      );
    client.onerror = (error) => options.onLog?.(messageOf(error));
    this.#liveness = new Liveness({
      client,
      isModern: modern,
      asksBySelf: http !== undefined,
      onRefused: (reason) => this.abandon(reason),
      onGone: (reason) => this.#lost(reason),
    });
    if (http) {
      client.onerror = (error) => {
        options.onLog?.(messageOf(error));
        if (/SSE stream/.test(error.message)) void this.#liveness.ask();
      };
    }
    if (this.transportKind === 'sse') {
      // Its stream is the connection: with another stream the server would know nothing of this session.
      client.onerror = (error) => {
        if (!isRefusal(error)) this.#lost(brokenStream(error));
      };
    }
  }

  get pid(): number | undefined {
    return this.#transport instanceof StdioTransport ? this.#transport.pid : undefined;
  }

  /** What the server says of itself. */
  get serverInfo(): { name: string; version: string } | undefined {
    return this.#client.getServerVersion();
  }

  get transportKind(): 'stdio' | 'http' | 'sse' {
    if (this.#transport instanceof StdioTransport) return 'stdio';
    return this.#poster ? 'http' : 'sse';
  }

  log(): string[] {
    return this.#transport instanceof StdioTransport ? this.#transport.log() : [];
  }

  /** What the server has declared that it can do. */
  get capabilities(): McpObject {
    return { ...this.#client.getServerCapabilities() };
  }

  get instructions(): string | undefined {
    return this.#client.getInstructions();
  }

  /** All pages of the server's tools, every field as it was sent. What no client could read is left out. */
  async listTools(): Promise<Tool[]> {
    if (!this.capabilities.tools) return [];
    const listed = await listAll(this.#wire, 'tools');
    const tools = namedTools(listed);
    const repeated = listed.length - tools.length;
    if (repeated > 0)
      this.#options.onLog?.(
        `${repeated} of ${listed.length} tools are left out: they have no name, or that of another.`,
      );
    if (!this.agreement.modern || !this.#poster) return tools;
    // A client must not offer what it could not call (MCP 2026-07-28, "Custom headers from tool parameters").
    return tools.filter((tool) => {
      const declared = paramHeadersOf(tool);
      if ('fault' in declared) this.#options.onLog?.(`The tool "${tool.name}" is left out: ${declared.fault}`);
      return !('fault' in declared);
    });
  }

  /** All of another list of the server. One that cannot be had is empty: tools are worth having without it. */
  async listOf(kind: PeerListKind): Promise<McpObject[]> {
    if (!this.capabilities[kind === 'prompts' ? 'prompts' : 'resources']) return [];
    try {
      return legalEntries(kind, await listAll(this.#wire, kind), (line) => this.#options.onLog?.(line));
    } catch (thrown) {
      // Many servers with resources do not know templates.
      if (kind !== 'resourceTemplates') this.#options.onLog?.(`Cannot list ${kind}: ${messageOf(thrown)}`);
      return [];
    }
  }

  /** Sends a request other than `tools/call`. Throws as {@link Wire.request} does. */
  request(method: string, params: McpObject, call: SourceCall): Promise<McpObject> {
    return requestWithQuestions(this.#wire, method, withMeta(params, call), call);
  }

  /** Asks to be told when a resource changes: by a request, in 2026-07-28 by a stream. */
  async subscribe(uri: string): Promise<void> {
    if (!this.agreement.modern) return void (await this.#order('resources/subscribe', { uri }));
    this.#subscriptions.set(uri, await this.#client.listen({ resourceSubscriptions: [uri] }));
  }

  async unsubscribe(uri: string): Promise<void> {
    if (!this.agreement.modern) return void (await this.#order('resources/unsubscribe', { uri }));
    await this.#subscriptions.get(uri)?.close();
    this.#subscriptions.delete(uri);
  }

  /** In 2026-07-28 each request says for itself which log messages it wants. */
  async setLogLevel(level: string): Promise<void> {
    if (!this.agreement.modern && this.capabilities.logging) await this.#order('logging/setLevel', { level });
  }

  async notify(method: string): Promise<void> {
    if (!this.agreement.modern) await this.#wire.send({ jsonrpc: '2.0', method });
  }

  /** Calls a tool of the server. Throws as {@link Wire.request} does, and `SessionLostError`. */
  callTool(tool: Tool, args: ToolArguments, call: SourceCall): Promise<ToolResult> {
    const { meta } = call;
    const params = meta ? { name: tool.name, arguments: args, _meta: meta } : { name: tool.name, arguments: args };
    if (needsTask(tool)) return callAsTask(this.#wire, params, call);
    const declared = this.agreement.modern && this.#poster ? paramHeadersOf(tool) : undefined;
    const headers =
      declared && 'headers' in declared && declared.headers.length > 0
        ? paramHeaderValues(declared.headers, args)
        : undefined;
    return requestWithQuestions(
      this.#wire,
      'tools/call',
      params,
      call,
      headers,
    ) as Promise<unknown> as Promise<ToolResult>;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#end(new LunaError('source_unavailable', 'The server was closed.'));
    const { transport } = this.#client;
    if (transport instanceof StreamableHTTPClientTransport) await endSession(transport);
    await this.#client.close();
    await this.#poster?.close();
  }

  /** Takes no new calls: the owner hears that it is lost, and those under way get the answers that they still get. */
  abandon(reason: string): void {
    if (this.#over) return;
    void this.retire();
    this.#onLost(reason);
  }

  /** Takes no new calls, and is closed once those under way have had their answers. */
  retire(): Promise<void> {
    this.#over = true;
    this.#liveness.end();
    this.#retiring ??= this.#closeWhenIdle();
    return this.#retiring;
  }

  /** After a call got no answer: asks a server over HTTP whether it is there. Others would have closed. */
  async check(): Promise<void> {
    if (this.#poster) await this.#liveness.ask();
  }

  /** Asks the server whether it is there, however it is connected. The owner hears of it when it is not. */
  async answers(): Promise<void> {
    await this.#liveness.ask();
  }

  #order(method: string, params: McpObject): Promise<McpObject> {
    return this.#wire.request(method, params, { signal: AbortSignal.timeout(probeLimitMs) });
  }

  #lost(reason: string): void {
    if (this.#over) return;
    this.#end(
      new LunaError('source_unavailable', `${reason} Whether a call under way took effect is not known.`, {
        details: { outcome: 'unknown' },
      }),
    );
    void this.#client.close().catch(() => undefined);
    void this.#poster?.close();
    this.#onLost(reason);
  }

  async #closeWhenIdle(): Promise<void> {
    await this.#wire.idle();
    try {
      await this.#client.close();
    } catch (thrown) {
      this.#options.onLog?.(messageOf(thrown));
    }
    await this.#poster?.close();
  }

  #end(error: LunaError): void {
    this.#over = true;
    this.#liveness.end();
    this.#wire.fail(error);
  }
}

function withMeta(params: McpObject, { meta }: SourceCall): McpObject {
  return meta ? { ...params, _meta: meta } : params;
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

/** The session ends with the connection in any case; telling the server is a courtesy, and nobody waits long for thanks. */
async function endSession(transport: StreamableHTTPClientTransport): Promise<void> {
  const told = transport.terminateSession().catch(() => undefined);
  await Promise.race([told, sleep(farewellMs, undefined, { ref: false })]);
}

/** The SDK has no words for a stream that simply ended. */
function brokenStream(error: Error): string {
  const why = messageOf(error).replace(/^SSE error: /, '');
  return why === 'undefined' ? 'The server ended its stream.' : `The stream of the server broke: ${why}.`;
}
