import { messageOf } from '@luna/core/errors';
import { type JSONRPCMessage, SdkHttpError, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio';

export interface BridgeOptions {
  readonly url: URL;
  /** The bearer key of the hub. */
  readonly apiKey: string;
}

type Message = JSONRPCMessage;

/**
 * Carries messages between standard input and output and a hub, as they are, in both protocol eras. When the hub has
 * forgotten the session (Luna was started anew), it is opened again unseen and the message is sent once more. Settles
 * when standard input ends.
 */
export async function bridgeStdio(options: BridgeOptions): Promise<void> {
  const client = new StdioServerTransport(process.stdin, process.stdout, { maxBufferSize: 128 * 1024 * 1024 });
  const bridge = new Bridge(options, (message) => void client.send(message));
  client.onmessage = (message) => void bridge.forward(message);
  client.onerror = (error) => complain(messageOf(error));
  await client.start();
  await new Promise<void>((settle) => {
    client.onclose = settle;
  });
  await bridge.close();
}

class Bridge {
  readonly #options: BridgeOptions;
  readonly #toClient: (message: Message) => void;
  #hub: StreamableHTTPClientTransport | undefined;
  /** The client's handshake, to be repeated towards a hub that has forgotten it. */
  #initialize: Message | undefined;
  #reopening: Promise<void> | undefined;

  constructor(options: BridgeOptions, toClient: (message: Message) => void) {
    this.#options = options;
    this.#toClient = toClient;
  }

  async forward(message: Message): Promise<void> {
    if ('method' in message && message.method === 'initialize') this.#initialize = message;
    try {
      await this.#reopening;
      await this.#send(message);
    } catch (thrown) {
      await this.#retry(message, thrown);
    }
  }

  async close(): Promise<void> {
    const hub = this.#hub;
    await hub?.terminateSession().catch(() => undefined);
    await hub?.close();
  }

  async #send(message: Message): Promise<void> {
    this.#hub ??= await this.#open((answer) => this.#deliver(answer));
    await this.#hub.send(message);
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
    this.#toClient(message);
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
    this.#toClient({ jsonrpc: '2.0', id: message.id, error });
  }
}

/** Standard output belongs to the protocol. */
function complain(text: string): void {
  process.stderr.write(`luna mcp: ${text}\n`);
}
