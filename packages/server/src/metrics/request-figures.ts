import { Counter, type Registry } from 'prom-client';

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Counts answered requests by the pattern of their route, so that what a client makes up as a path makes no label. */
export class RequestFigures {
  /** By route, then by method and status. */
  readonly #counts = new Map<string, Map<string, number>>();

  constructor(registry: Registry) {
    const counts = this.#counts;
    new Counter({
      name: 'luna_http_requests_total',
      help: 'Requests that were answered. route: the pattern, not the path.',
      labelNames: ['route', 'method', 'status'],
      registers: [registry],
      collect() {
        this.reset();
        for (const [route, kinds] of counts) {
          for (const [kind, count] of kinds) {
            const [method = '', status = ''] = kind.split(' ');
            this.inc({ route, method, status }, count);
          }
        }
      },
    });
  }

  count(route: string, method: string | undefined, status: number): void {
    let kinds = this.#counts.get(route);
    if (!kinds) {
      kinds = new Map();
      this.#counts.set(route, kinds);
    }
    const kind = `${method !== undefined && methods.has(method) ? method : 'other'} ${status}`;
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
}
