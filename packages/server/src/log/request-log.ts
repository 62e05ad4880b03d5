import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { RequestFigures } from '../metrics/request-figures.ts';
import { identifyRequest } from './request-id.ts';

export interface RequestLogOptions {
  readonly figures?: RequestFigures | undefined;
  /** Gets a line for each request, at the level `debug`. */
  readonly log?: Logger | undefined;
}

/** What is known of a request while it is answered. */
export interface RequestNote {
  /** The pattern of the route that answers it. */
  route: string;
}

/** Gives requests their ids, counts them, and logs them once they are answered. */
export class RequestLog {
  readonly #options: RequestLogOptions;
  readonly #notes = new WeakMap<IncomingMessage, RequestNote>();

  constructor(options: RequestLogOptions) {
    this.#options = options;
  }

  begin(request: IncomingMessage, response: ServerResponse): RequestNote {
    const note: RequestNote = { route: '(none)' };
    const requestId = identifyRequest(request, response);
    const started = performance.now();
    const { figures, log } = this.#options;
    // Also told when the client has gone before it had all of its answer.
    response.once('close', () => {
      const status = response.headersSent ? response.statusCode : 499;
      figures?.count(note.route, request.method, status);
      if (!log?.isLevelEnabled('debug')) return;
      const { method, url = '' } = request;
      // What follows the path may hold codes and tokens.
      const path = url.split('?', 1)[0];
      const durationMs = Math.round((performance.now() - started) * 10) / 10;
      log.debug({ from: 'http', requestId, method, path, route: note.route, status, durationMs }, `${method} ${path}`);
    });
    return note;
  }

  /** Keeps the note of a request for one who has only the request. */
  keep(request: IncomingMessage, note: RequestNote): void {
    this.#notes.set(request, note);
  }

  noteOf(request: IncomingMessage): RequestNote | undefined {
    return this.#notes.get(request);
  }
}
