import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '@luna/core/errors';
import { type JSONRPCMessage, SdkHttpError, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio';

export interface BridgeOptions {
  readonly url: URL;
  /** The bearer key of the hub. */
  readonly apiKey: string;
}

type Message = JSONRPCMessage;

/** For how long calls that are under way when standard input ends may still be answered, in milliseconds. */
const lastAnswersMs = 10_000;

/**
 * Carries messages between standard input and output and a hub, as they are, in both protocol eras. When the hub has
 * forgotten the session (Luna was started anew), it is opened again unseen and the message is sent once more. Settles
 * when standard input has ended and what was asked before is answered.
 */
export async function bridgeStdio(options: BridgeOptions): Promise<void> {
  const client = new StdioServerTransport(process.stdin, process.stdout, { maxBufferSize: 128 * 1024 * 1024 });
  // Not through the transport: that takes nothing any more once standard input has ended.
  const bridge = new Bridge(options, (message) => void process.stdout.write(`${JSON.stringify(message)}\n`));
  const readerGone = new Promise<void>((settle) => {
    process.stdout.on('error', () => settle());
  });
  client.onmessage = (message) => void bridge.forward(message);
  client.onerror = (error) => complain(wordsOf(error));
  await client.start();
  const ended = new Promise<void>((settle) => {
    client.onclose = settle;
  });
  await Promise.race([ended, readerGone]);
  await Promise.race([bridge.answered(), readerGone, sleep(lastAnswersMs, undefined, { ref: false })]);
  await bridge.close();
}

class Bridge {
  readonly #options: BridgeOptions;
  readonly #toClient: (message: Message) => void;
  /** What the client asked and has no answer to yet. */
  readonly #asked = new Set<unknown>();
  #onAnswered: (() => void) | undefined;
  #firstHub: Promise<void> | undefined;
  #hub: StreamableHTTPClientTransport | undefined;
  /** The client's handshake, to be repeated towards a hub that has forgotten it. */
  #initialize: Message | undefined;
  /** The handshake while it is under way. */
  #opening: Promise<void> | undefined;
  #reopening: Promise<void> | undefined;

  constructor(options: BridgeOptions, toClient: (message: Message) => void) {
    this.#options = options;
    this.#toClient = toClient;
  }

  async forward(message: Message): Promise<void> {
    if ('method' in message && 'id' in message) this.#asked.add(message.id);
    // A client may send more before its handshake is answered: that waits for the session.
    const opening = this.#opening;
    const sent = opening ? opening.then(() => this.#forward(message)) : this.#forward(message);
    if ('method' in message && message.method === 'initialize') {
      this.#initialize = message;
      this.#opening = sent;
    }
    await sent;
    if (this.#opening === sent) this.#opening = undefined;
  }

  /** Settles when nothing is without an answer. */
  answered(): Promise<void> {
    if (this.#asked.size === 0) return Promise.resolve();
    return new Promise((settle) => {
      this.#onAnswered = settle;
    });
  }

  async #forward(message: Message): Promise<void> {
    try {
      await this.#reopening;
      await this.#send(message);
    } catch (thrown) {
      await this.#retry(message, thrown);
    }
  }

  async close(): Promise<void> {
    const hub = this.#hub;
    // What ends now is meant to.
    if (hub) hub.onerror = () => undefined;
    await hub?.terminateSession().catch(() => undefined);
    await hub?.close();
  }

  async #send(message: Message): Promise<void> {
    this.#firstHub ??= this.#open((answer) => this.#deliver(answer)).then((hub) => {
      this.#hub = hub;
    });
    await this.#firstHub;
    await this.#hub?.send(message);
  }

  async #retry(message: Message, thrown: unknown): Promise<void> {
    const forgotten = thrown instanceof SdkHttpError && thrown.status === 404 && this.#initialize !== undefined;
    if (!forgotten) return this.#refuse(message, thrown);
    try {
      this.#reopening ??= this.#reopen().finally(() => {
        this.#reopening = undefined;
      });
      await this.#reopening;
      await this.#send(message);
    } catch (again) {
      this.#refuse(message, again);
    }
  }

  async #open(onmessage: (message: Message) => void): Promise<StreamableHTTPClientTransport> {
    const headers = { Authorization: `Bearer ${this.#options.apiKey}` };
    const hub = new StreamableHTTPClientTransport(this.#options.url, { requestInit: { headers } });
    hub.onmessage = onmessage;
    hub.onerror = (error) => complain(messageOf(error));
    await hub.start();
    return hub;
  }

  /** Repeats the handshake. Its answer is not for the client, which has had one. */
  async #reopen(): Promise<void> {
    const initialize = this.#initialize;
    if (!initialize || !('id' in initialize)) return;
    await this.#hub?.close();
    const hub = await this.#open((answer) => {
      if ('id' in answer && answer.id === initialize.id && !('method' in answer)) this.#adoptVersion(hub, answer);
      else this.#deliver(answer);
    });
    await hub.send(initialize);
    hub.onmessage = (answer) => this.#deliver(answer);
    this.#hub = hub;
    await hub.send({ jsonrpc: '2.0', method: 'notifications/initialized' });
  }

  #deliver(message: Message): void {
    const initialize = this.#initialize;
    if (this.#hub && initialize && 'id' in initialize && 'id' in message && message.id === initialize.id)
      this.#adoptVersion(this.#hub, message);
    this.#tell(message);
  }

  #tell(message: Message): void {
    this.#toClient(message);
    if ('method' in message || !('id' in message)) return;
    this.#asked.delete(message.id);
    if (this.#asked.size === 0) this.#onAnswered?.();
  }

  /** The version that was agreed on goes with each further request as a header. */
  #adoptVersion(hub: StreamableHTTPClientTransport, message: Message): void {
    if (!('result' in message)) return;
    const { protocolVersion } = message.result;
    if (typeof protocolVersion === 'string') hub.setProtocolVersion(protocolVersion);
  }

  #refuse(message: Message, thrown: unknown): void {
    complain(messageOf(thrown));
    if (!('method' in message) || !('id' in message)) return;
    const error = { code: -32603, message: `Luna cannot be reached: ${messageOf(thrown)}` };
    this.#tell({ jsonrpc: '2.0', id: message.id, error });
  }
}

/** What a client writes may be anything; how a schema judges it says nothing to people. */
function wordsOf(error: Error): string {
  const isIllegal = error.name === 'ZodError' || error instanceof SyntaxError;
  return isIllegal ? 'A line of standard input is no message of JSON-RPC. It is passed over.' : messageOf(error);
}

/** Standard output belongs to the protocol. */
function complain(text: string): void {
  process.stderr.write(`luna mcp: ${text}\n`);
}
