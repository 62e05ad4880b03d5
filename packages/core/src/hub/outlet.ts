import type { ServerResponse } from 'node:http';
import { EventStream } from './event-stream.ts';
import { sendJson } from './json-answer.ts';
import type { AnswerStream, LegacySession } from './session.ts';

/** Where the answer of a request goes, and what is said before it. Messages are JSON texts. */
export interface Outlet {
  /** Says something before the answer. */
  tell(message: string): void;
  answer(message: string): void;
  /** The answer takes long: shows that it is still to come. */
  begin(): void;
}

/**
 * The answer to a POST. It is one JSON body, unless there is something to say before, or it takes long: then it becomes
 * a stream, which a client of a session can resume.
 */
export class PostOutlet implements Outlet, AnswerStream {
  readonly startedAt = performance.now();
  readonly #session: LegacySession | undefined;
  readonly #response: ServerResponse;
  #missing: number;
  #stream: EventStream | undefined;
  #name = '';

  /** `answers`: how many answers go here; more than one for a batch. */
  constructor(session: LegacySession | undefined, response: ServerResponse, answers = 1) {
    this.#session = session;
    this.#response = response;
    this.#missing = answers;
    if (answers > 1) this.begin();
  }

  get isStreaming(): boolean {
    return this.#stream !== undefined;
  }

  tell(message: string): void {
    this.begin();
    this.#send(message);
  }

  answer(message: string, status = 200): void {
    this.#missing--;
    if (!this.#stream) return sendJson(this.#response, status, message);
    this.#send(message);
    if (this.#missing > 0) return;
    this.#session?.outletEnded(this.#name);
    this.#stream.end();
  }

  /** Makes the answer a stream; without effect when it is one, or the client has gone. */
  begin(): void {
    if (this.#stream || this.#response.destroyed || this.#response.headersSent) return;
    const session = this.#session;
    this.#stream = new EventStream(this.#response, session && { 'mcp-session-id': session.id });
    if (!session) return;
    this.#name = session.outletBegan(this);
    // Older clients take an event without data for a message.
    if (session.resumesFromStart) this.#send('');
  }

  beat(): void {
    this.#stream?.beat();
  }

  /** Ends the stream, or the connection where there is none yet, whatever is still to come. */
  close(): void {
    if (this.#stream) this.#stream.end();
    else if (!this.#response.headersSent) this.#response.destroy();
  }

  /** Goes on at a client that came back. */
  attach(stream: EventStream): void {
    this.#stream?.end();
    this.#stream = stream;
  }

  #send(message: string): void {
    const id = this.#session?.log.append(this.#name, message);
    this.#stream?.send(message, { id });
  }
}
