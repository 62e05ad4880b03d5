import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { RequestFigures } from '../metrics/request-figures.ts';
import { identifyRequest, requestIdOf } from './request-id.ts';

export interface RequestLogOptions {
  readonly figures?: RequestFigures | undefined;
  /** Gets a line for each request, at the level `debug`. */
  readonly log?: Logger | undefined;
}

/** What is known of a request while it is answered. */
export interface RequestNote {
  /** The pattern of the route that answers it. */
  route: string;
  /** By `performance.now()`. */
  readonly startedAt: number;
}

const noteOfResponse = Symbol('note');

type NotedResponse = ServerResponse & { [noteOfResponse]?: RequestNote };

/** Gives requests their ids, counts them, and logs them once they are answered. */
export class RequestLog {
  readonly #options: RequestLogOptions;
  readonly #notes = new WeakMap<IncomingMessage, RequestNote>();
  /** One for all responses: a function for each is what most of this would cost. */
  readonly #closed: (this: NotedResponse) => void;

  constructor(options: RequestLogOptions) {
    this.#options = options;
    const ended = this.#ended.bind(this);
    this.#closed = function () {
      ended(this);
    };
  }

  begin(request: IncomingMessage, response: NotedResponse): RequestNote {
    identifyRequest(request);
    const note: RequestNote = { route: '(none)', startedAt: performance.now() };
    response[noteOfResponse] = note;
    // Also told when the client has gone before it had all of its answer.
    response.on('close', this.#closed);
    return note;
  }

  /** Keeps the note of a request for one who has only the request. */
  keep(request: IncomingMessage, note: RequestNote): void {
    this.#notes.set(request, note);
  }

  noteOf(request: IncomingMessage): RequestNote | undefined {
    return this.#notes.get(request);
  }

  #ended(response: NotedResponse): void {
    const note = response[noteOfResponse];
    if (!note) return;
    const { figures, log } = this.#options;
    const { method, url = '' } = response.req;
    const status = response.headersSent ? response.statusCode : 499;
    figures?.count(note.route, method, status);
    if (!log?.isLevelEnabled('debug')) return;
    // What follows the path may hold codes and tokens.
    const path = url.split('?', 1)[0];
    const durationMs = Math.round((performance.now() - note.startedAt) * 10) / 10;
    const requestId = requestIdOf(response.req);
    log.debug({ from: 'http', requestId, method, path, route: note.route, status, durationMs }, `${method} ${path}`);
  }
}
