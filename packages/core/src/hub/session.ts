import { randomUUID } from 'node:crypto';
import { LunaError } from '../errors/index.ts';
import type { AskOptions, CallClient, McpObject, ToolProgress } from '../tools/index.ts';
import { EventLog } from './event-log.ts';
import type { EventStream } from './event-stream.ts';
import type { HubListKind } from './hub.ts';
import { OpenExchanges } from './open-exchanges.ts';

/** What a client has agreed on when it opened a session. */
export interface SessionAgreement {
  /** Who opened it: a session id is an address, not a credential. */
  readonly owner: string;
  readonly protocolVersion: string;
  readonly capabilities: McpObject;
  /** Called when the client wants other log messages. */
  readonly onLogLevel: () => void;
}

/** The stream of one request's answer. */
export interface AnswerStream {
  beat(): void;
  close(): void;
  /** Goes on at a client that came back. */
  attach(stream: EventStream): void;
}

interface Question {
  readonly resolve: (result: McpObject) => void;
  readonly reject: (error: unknown) => void;
  readonly onProgress: AskOptions['onProgress'];
}

/** The name of the stream of notifications in the log of events. */
const ownStream = 'own';

/** One client of the 2025 protocols, from its `initialize` to its end. */
export class LegacySession {
  readonly id = randomUUID();
  readonly owner: string;
  readonly protocolVersion: string;
  readonly capabilities: McpObject;
  readonly exchanges = new OpenExchanges();
  /** Resources that the client wants to hear of, by the server's own URI, with how to stop. */
  readonly subscriptions = new Map<string, () => void>();
  readonly onLogLevel: () => void;
  /** When it was last used, milliseconds since the epoch. */
  usedAt = performance.now();
  logLevel: string | undefined;
  #log: EventLog | undefined;
  #stream: EventStream | undefined;
  #hadStream = false;
  #outlets: Map<string, AnswerStream> | undefined;
  #questions: Map<string | number, Question> | undefined;
  #missed: Set<HubListKind> | undefined;
  #client: CallClient | undefined;
  #lastNumber = 0;
  #isOver = false;

  constructor({ owner, protocolVersion, capabilities, onLogLevel }: SessionAgreement) {
    this.onLogLevel = onLogLevel;
    this.owner = owner;
    this.protocolVersion = protocolVersion;
    this.capabilities = capabilities;
  }

  get log(): EventLog {
    this.#log ??= new EventLog();
    return this.#log;
  }

  get hasStream(): boolean {
    return this.#stream?.isOpen === true;
  }

  get isInUse(): boolean {
    return this.hasStream || this.exchanges.size > 0;
  }

  /** Clients of 2025-11-25 and later understand an event that only carries an id. */
  get resumesFromStart(): boolean {
    return this.protocolVersion >= '2025-11-25';
  }

  /** The client apart from any of its requests. */
  get client(): CallClient {
    this.#client ??= new SessionClient(this);
    return this.#client;
  }

  /** Takes the stream for notifications, and tells what was missed. */
  openStream(stream: EventStream): void {
    this.#stream = stream;
    this.#hadStream = true;
    stream.onClose(() => {
      this.usedAt = performance.now();
    });
    if (this.resumesFromStart) stream.send('', { id: this.log.append(ownStream, '') });
    for (const kind of this.#missed ?? []) this.tell(`notifications/${kind}/list_changed`);
    this.#missed = undefined;
  }

  /** Takes a stream that carries everything, and cannot be resumed. */
  openPlainStream(stream: EventStream): void {
    this.#stream = stream;
  }

  /** Goes on with a stream that broke, after an event. False when nothing is known of it any more. */
  resume(eventId: string, open: () => EventStream): boolean {
    const found = this.log.after(eventId);
    if (!found) return false;
    const outlet = this.#outlets?.get(found.stream);
    const stream = open();
    for (const { number, data } of found.events) stream.send(data, { id: `${found.stream}.${number}` });
    if (found.stream === ownStream) this.#stream = stream;
    else if (outlet) outlet.attach(stream);
    else stream.end();
    return true;
  }

  subscribed(uri: string, stop: () => void): void {
    // Asked for twice at one time, or by a client that has gone meanwhile.
    if (this.subscriptions.has(uri) || this.#isOver) return stop();
    this.subscriptions.set(uri, stop);
  }

  unsubscribe(uri: string): void {
    this.subscriptions.get(uri)?.();
    this.subscriptions.delete(uri);
  }

  outletBegan(outlet: AnswerStream): string {
    const name = `s${++this.#lastNumber}`;
    this.#outlets ??= new Map();
    this.#outlets.set(name, outlet);
    return name;
  }

  outletEnded(name: string): void {
    this.#outlets?.delete(name);
    this.log.end(name);
  }

  listChanged(kind: HubListKind): void {
    if (this.hasStream) return this.tell(`notifications/${kind}/list_changed`);
    this.#missed ??= new Set();
    this.#missed.add(kind);
  }

  /** Tells something that belongs to no request. Without a stream it is kept for a client that resumes. */
  tell(method: string, params?: McpObject): void {
    this.send(JSON.stringify({ jsonrpc: '2.0', method, ...(params && { params }) }));
  }

  send(message: string): void {
    const id = this.#hadStream ? this.log.append(ownStream, message) : undefined;
    this.#stream?.send(message, { id });
  }

  /** Sends a question by `send` and settles with the client's answer. */
  ask(send: (message: string) => void, method: string, params: McpObject, options: AskOptions): Promise<McpObject> {
    const { signal, onProgress } = options;
    return new Promise((resolve, reject) => {
      const id = `luna-${++this.#lastNumber}`;
      this.#questions ??= new Map();
      const questions = this.#questions;
      const settle = (finish: () => void) => {
        questions.delete(id);
        signal.removeEventListener('abort', withdraw);
        finish();
      };
      const withdraw = () => {
        send(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id } }));
        settle(() => reject(new LunaError('cancelled', 'The question was withdrawn.', { cause: signal.reason })));
      };
      if (signal.aborted) return reject(new LunaError('cancelled', 'The question was withdrawn.'));
      signal.addEventListener('abort', withdraw);
      questions.set(id, {
        resolve: (result) => settle(() => resolve(result)),
        reject: (error) => settle(() => reject(error)),
        onProgress,
      });
      send(JSON.stringify({ jsonrpc: '2.0', id, method, params: withToken(params, id, onProgress) }));
    });
  }

  /** Takes the client's answer to a question. */
  answered(message: McpObject): void {
    const question = this.#questions?.get(message.id as string);
    if (!question) return;
    const { error, result } = message;
    if (isObject(error)) {
      const { code = -32603, message = 'The client refused.', ...rest } = error;
      question.reject(
        new LunaError('upstream_error', String(message), { details: { rpc: { code, message, ...rest } } }),
      );
    } else question.resolve(isObject(result) ? result : {});
  }

  /** Takes the client's progress with a question. */
  progressed({ progressToken, ...progress }: McpObject): void {
    this.#questions?.get(progressToken as string)?.onProgress?.(progress as unknown as ToolProgress);
  }

  /** A sign of life on each stream; what takes long gets one. */
  beat(longMs: number): void {
    this.#stream?.beat();
    for (const outlet of this.#outlets?.values() ?? []) outlet.beat();
    for (const request of this.exchanges.all()) if (performance.now() - request.startedAt >= longMs) request.begin();
  }

  /** Cancels what is under way and closes the streams. */
  end(): void {
    this.#isOver = true;
    const reason = new LunaError('cancelled', 'The session has ended.');
    for (const exchange of this.exchanges.all()) exchange.cancellation.cancel(reason);
    for (const question of [...(this.#questions?.values() ?? [])])
      question.reject(new LunaError('source_unavailable', 'The client has gone.'));
    for (const stop of this.subscriptions.values()) stop();
    this.subscriptions.clear();
    this.#stream?.end();
    for (const outlet of this.#outlets?.values() ?? []) outlet.close();
  }
}

class SessionClient implements CallClient {
  readonly takesQuestionsAsResults = false;
  readonly #session: LegacySession;

  constructor(session: LegacySession) {
    this.#session = session;
  }

  get key(): string {
    return this.#session.id;
  }

  get capabilities(): McpObject {
    return this.#session.capabilities;
  }

  get logLevel(): string | undefined {
    return this.#session.logLevel;
  }

  ask(method: string, params: McpObject, options: AskOptions): Promise<McpObject> {
    if (!this.#session.hasStream)
      return Promise.reject(new LunaError('source_unavailable', 'The client has no stream open to be asked on.'));
    return this.#session.ask((message) => this.#session.send(message), method, params, options);
  }

  tell(method: string, params: McpObject): void {
    this.#session.tell(method, params);
  }
}

/** Tokens of different servers could be the same; the id of the question is not. */
function withToken(params: McpObject, id: string, onProgress: AskOptions['onProgress']): McpObject {
  const meta = params._meta;
  if (!isObject(meta) || meta.progressToken === undefined) return params;
  const { progressToken: _theirs, ...rest } = meta;
  return { ...params, _meta: onProgress ? { ...rest, progressToken: id } : rest };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
