import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Caller } from '../../tools/index.ts';
import type { ReadBody } from './body.ts';

/** One request to an agent or a model. */
export interface AgentExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly body: ReadBody;
  readonly caller: Caller;
  readonly memory: string | undefined;
  /** Aborted when the client hangs up. */
  readonly signal: AbortSignal;
  readonly redact: ((text: string) => string) | undefined;
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    ...headers,
  });
  response.end(text);
}
