import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage as HttpRequest, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAnswer, type IncomingMessage } from './answer.ts';

/**
 * The fixture over streamable HTTP with sessions, in a process of its own. `/mcp/10` serves ten tools, `/mcp/1000` a
 * thousand. Tells its parent the port, and ends when the parent does.
 */

const answers = new Map<string, (message: IncomingMessage) => string>();
const sessions = new Map<string, ServerResponse | undefined>();

const server = createServer((request, response) => {
  const answer = answerOf(request.url ?? '');
  if (!answer) end(response, 404);
  else if (request.method === 'POST') receive(request, (text) => post(request, response, answer, text));
  else withSession(request, response);
});
// A hub keeps its sockets for the whole run; an idle one that is closed under it would count as an error.
server.keepAliveTimeout = 600_000;

function answerOf(url: string): ((message: IncomingMessage) => string) | undefined {
  const known = answers.get(url);
  const count = /^\/mcp\/([1-9][0-9]{0,4})$/.exec(url)?.[1];
  if (known || count === undefined) return known;
  const made = createAnswer(Number(count));
  answers.set(url, made);
  return made;
}

function receive(request: HttpRequest, then: (text: string) => void): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => then(String(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks))));
}

function post(
  request: HttpRequest,
  response: ServerResponse,
  answer: (message: IncomingMessage) => string,
  text: string,
): void {
  const message = parse(text);
  if (!message) {
    end(response, 400);
  } else if (message.method === 'initialize') {
    const session = randomUUID();
    sessions.set(session, undefined);
    json(response, answer(message), { 'mcp-session-id': session });
  } else if (sessionOf(request, response) === undefined) {
    // Answered already.
  } else if (message.id === undefined || message.method === undefined) {
    end(response, 202);
  } else {
    json(response, answer(message));
  }
}

function parse(text: string): IncomingMessage | undefined {
  try {
    return JSON.parse(text) as IncomingMessage;
  } catch {
    return undefined;
  }
}

/** The session that the request names; answers the request itself when there is none. */
function sessionOf(request: HttpRequest, response: ServerResponse): string | undefined {
  const session = request.headers['mcp-session-id'];
  if (typeof session === 'string' && sessions.has(session)) return session;
  end(response, session === undefined ? 400 : 404);
  return undefined;
}

function withSession(request: HttpRequest, response: ServerResponse): void {
  const session = sessionOf(request, response);
  if (session === undefined) return;
  if (request.method === 'GET') {
    openStream(session, response);
  } else if (request.method === 'DELETE') {
    sessions.get(session)?.end();
    sessions.delete(session);
    end(response, 200);
  } else {
    end(response, 405);
  }
}

function openStream(session: string, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  response.flushHeaders();
  sessions.set(session, response);
}

function json(response: ServerResponse, text: string, headers: Record<string, string> = {}): void {
  response.writeHead(200, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    ...headers,
  });
  response.end(text);
}

function end(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-length': 0 }).end();
}

server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('disconnect', () => process.exit(0));
