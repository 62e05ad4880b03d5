import { createParser } from 'eventsource-parser';
import { Client } from 'undici';
import { type Answer, post } from './exchange.ts';
import type { Endpoint } from './jobs.ts';
import { answerLimitMs, handshake, type RpcMessage, resultOf, type Session } from './session.ts';

/** Opens a session over streamable HTTP: one keep-alive socket, the answers as JSON or as a stream of events. */
export async function openStreamableSession(endpoint: Endpoint): Promise<Session> {
  const url = new URL(endpoint.url);
  const socket = new Client(url.origin, { headersTimeout: answerLimitMs, bodyTimeout: answerLimitMs });
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    ...endpoint.headers,
  };
  const send = (message: object) => post(socket, url.pathname, headers, JSON.stringify(message));
  let lastId = 0;
  const request = async (method: string, params: Record<string, unknown>) => {
    lastId += 1;
    const id = lastId;
    return read(await send({ jsonrpc: '2.0', id, method, params }), id, headers);
  };
  try {
    const greeting = await request('initialize', handshake);
    headers['mcp-protocol-version'] = String(greeting.protocolVersion);
    const heard = await send({ jsonrpc: '2.0', method: 'notifications/initialized' });
    if (heard.status >= 300) throw new Error(`HTTP ${heard.status} for notifications/initialized`);
  } catch (thrown) {
    await socket.destroy();
    throw thrown;
  }
  const streams: Client[] = [];
  return {
    request,
    async openStream() {
      // The stream is silent while nothing changes, so its body has no time limit.
      const stream = new Client(url.origin, { headersTimeout: answerLimitMs, bodyTimeout: 0 });
      streams.push(stream);
      const { statusCode, body } = await stream.request({
        method: 'GET',
        path: url.pathname,
        headers: { ...headers, accept: 'text/event-stream' },
      });
      body.on('error', () => undefined).resume();
      if (statusCode !== 200 && statusCode !== 405) throw new Error(`HTTP ${statusCode} for the stream of the session`);
    },
    async close() {
      for (const stream of streams) await stream.destroy();
      await end(socket, url.pathname, headers);
    },
  };
}

/** Takes the session id where the answer brings one, and gives the result. */
function read(answer: Answer, id: number, headers: Record<string, string>): Record<string, unknown> {
  if (answer.status !== 200) throw new Error(`HTTP ${answer.status}: ${answer.text.slice(0, 200)}`);
  const session = answer.headers['mcp-session-id'];
  if (typeof session === 'string') headers['mcp-session-id'] = session;
  const isStream = String(answer.headers['content-type']).startsWith('text/event-stream');
  return resultOf(isStream ? lastMessage(answer.text) : (JSON.parse(answer.text) as RpcMessage), id);
}

/** A stream may bring notifications first; the answer is what closes it. */
function lastMessage(text: string): RpcMessage {
  let last: RpcMessage = {};
  const parser = createParser({
    onEvent(event) {
      if (event.data !== '') last = JSON.parse(event.data) as RpcMessage;
    },
  });
  parser.feed(text);
  parser.reset({ consume: true });
  return last;
}

async function end(socket: Client, path: string, headers: Record<string, string>): Promise<void> {
  try {
    const { body } = await socket.request({ method: 'DELETE', path, headers });
    await body.dump();
  } finally {
    await socket.destroy();
  }
}
