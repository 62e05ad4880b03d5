import { createParser } from 'eventsource-parser';
import { Client } from 'undici';
import { post } from './exchange.ts';
import type { Endpoint } from './jobs.ts';
import { answerLimitMs, handshake, type RpcMessage, resultOf, type Session } from './session.ts';

/**
 * Opens a session over the older HTTP+SSE transport: answers come on one long stream, requests go as POSTs to the
 * address that the stream names, on a keep-alive socket of their own.
 */
export async function openSseSession(endpoint: Endpoint): Promise<Session> {
  const url = new URL(endpoint.url);
  const stream = new Client(url.origin, { headersTimeout: answerLimitMs, bodyTimeout: 0 });
  const socket = new Client(url.origin, { headersTimeout: answerLimitMs, bodyTimeout: answerLimitMs });
  const inbox = new Inbox();
  const close = async () => {
    inbox.close();
    await stream.destroy();
    await socket.destroy();
  };
  try {
    const { statusCode, body } = await stream.request({
      method: 'GET',
      path: url.pathname,
      headers: { accept: 'text/event-stream', ...endpoint.headers },
    });
    if (statusCode !== 200) throw new Error(`HTTP ${statusCode} for the stream of the session`);
    const parser = createParser({ onEvent: (event) => inbox.take(event.event, event.data) });
    body.setEncoding('utf8').on('data', (text: string) => parser.feed(text));
    body
      .on('close', () => inbox.fail(new Error('the stream of the session ended')))
      .on('error', (error) => inbox.fail(error));

    const path = await inbox.address();
    const headers = { 'content-type': 'application/json', ...endpoint.headers };
    const send = async (message: object) => {
      const { status, text } = await post(socket, path, headers, JSON.stringify(message));
      if (status >= 300) throw new Error(`HTTP ${status}: ${text.slice(0, 200)}`);
    };
    let lastId = 0;
    const request = async (method: string, params: Record<string, unknown>) => {
      lastId += 1;
      const id = lastId;
      const answer = inbox.answer(id);
      send({ jsonrpc: '2.0', id, method, params }).catch((error) => inbox.fail(error));
      return resultOf(await answer, id);
    };
    await request('initialize', handshake);
    await send({ jsonrpc: '2.0', method: 'notifications/initialized' });
    return { request, openStream: () => Promise.resolve(), close };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

interface Waiting {
  readonly resolve: (message: RpcMessage) => void;
  readonly reject: (error: Error) => void;
}

/** What the stream brings: first the address for POSTs, then answers by their id. One request waits at a time. */
class Inbox {
  readonly #waiting = new Map<unknown, Waiting>();
  readonly #limit: NodeJS.Timeout;
  #failed: Error | undefined;

  constructor() {
    this.#limit = setTimeout(
      () => this.#waiting.size > 0 && this.fail(new Error(`no answer in ${answerLimitMs} ms`)),
      answerLimitMs,
    );
  }

  address(): Promise<string> {
    return this.#wait('endpoint').then((message) => String(message.result?.address));
  }

  answer(id: number): Promise<RpcMessage> {
    return this.#wait(id);
  }

  take(event: string | undefined, data: string): void {
    if (event === 'endpoint') {
      this.#settle('endpoint', { result: { address: data } });
    } else {
      const message = JSON.parse(data) as RpcMessage;
      if (message.method === undefined) this.#settle(message.id, message);
    }
  }

  fail(error: Error): void {
    this.#failed = error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  close(): void {
    clearTimeout(this.#limit);
    this.fail(new Error('the session was closed'));
  }

  #wait(key: unknown): Promise<RpcMessage> {
    if (this.#failed) return Promise.reject(this.#failed);
    this.#limit.refresh();
    return new Promise((resolve, reject) => this.#waiting.set(key, { resolve, reject }));
  }

  #settle(key: unknown, message: RpcMessage): void {
    const waiting = this.#waiting.get(key);
    this.#waiting.delete(key);
    // An answer that nobody waits for would otherwise go unnoticed.
    if (waiting) waiting.resolve(message);
    else this.fail(new Error('an answer carried the id of another request'));
  }
}
