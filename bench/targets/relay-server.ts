// node relay-server.ts PORT URL: the least that can stand between a client and a server over HTTP. It hands bodies and the
// headers of a session on, byte for byte, on the connections that Luna uses too. It knows no MCP and keeps no rule.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Dispatcher } from 'undici';
import { Http1Pool } from '../../packages/core/dist/sources/egress/index.js';

const [port = '', upstream = ''] = process.argv.slice(2);
const { origin, pathname: path } = new URL(upstream);
const pool = new Http1Pool(origin, { connections: 256 });
const handedOn = ['content-type', 'accept', 'mcp-session-id', 'mcp-protocol-version'];

class Answer implements Dispatcher.DispatchHandler {
  readonly #response: ServerResponse;
  readonly #chunks: Buffer[] = [];
  #status = 502;
  #headers: Record<string, string | string[] | undefined> = {};

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  onRequestStart(): void {
    // Nothing is told of it.
  }

  onResponseStart(_: unknown, status: number, headers: Record<string, string | string[] | undefined>): void {
    this.#status = status;
    this.#headers = headers;
  }

  onResponseData(_: unknown, chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    const [first] = this.#chunks;
    const text = (this.#chunks.length === 1 && first ? first : Buffer.concat(this.#chunks)).toString('latin1');
    const headers: Record<string, string | number> = { 'content-length': text.length };
    for (const name of handedOn) if (this.#headers[name] !== undefined) headers[name] = String(this.#headers[name]);
    this.#response.writeHead(this.#status, headers);
    this.#response.end(text, 'latin1');
  }

  onResponseError(): void {
    this.#response.destroy();
  }
}

function relay(request: IncomingMessage, response: ServerResponse, body: string): void {
  const headers: Record<string, string> = {};
  for (const name of handedOn) if (request.headers[name] !== undefined) headers[name] = String(request.headers[name]);
  pool.dispatch({ origin, method: request.method as 'POST', path, headers, body }, new Answer(response));
}

const server = createServer((request, response) => {
  if (request.url === '/health') return void response.end();
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => relay(request, response, Buffer.concat(chunks).toString('latin1')));
});
server.keepAliveTimeout = 600_000;
server.listen(Number(port), '127.0.0.1');
