import { z } from 'zod';
import { writeFileDurably } from '../config/index.ts';
import { messageOf } from '../errors/index.ts';
import type { ServiceDefinition } from './definition-shape.ts';
import type { FormValues } from './form.ts';

/** Where the web interface of a service is, for whoever passes requests on to it. */
export const serviceRouteSchema = z.object({
  service: z.string(),
  slug: z.string(),
  path: z.string().describe('Where it is seen: `/ext_service/<slug>/`.'),
  base_path: z.string(),
  host: z.string(),
  port: z.number(),
  scheme: z.enum(['http', 'https']),
  strip_prefix: z.boolean(),
  enforce_trailing_slash: z.boolean(),
  open_mode: z.enum(['iframe', 'new_tab']),
});
export type ServiceRoute = z.infer<typeof serviceRouteSchema>;

/** The route of a service with a web interface. */
export function routeOf(definition: ServiceDefinition, values: FormValues): ServiceRoute | undefined {
  const { ui, name } = definition;
  if (!ui) return undefined;
  const port = ui.port ?? Number(ui.port_field === undefined ? Number.NaN : values[ui.port_field]);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return undefined;
  const slug = ui.slug ?? name.replace(/[^A-Za-z0-9_-]/g, '-');
  const { base_path, scheme, strip_prefix, enforce_trailing_slash, open_mode } = ui;
  return {
    service: name,
    slug,
    path: `/${base_path}/${slug}/`,
    base_path,
    host: '127.0.0.1',
    port,
    scheme,
    strip_prefix,
    enforce_trailing_slash,
    open_mode,
  };
}

/** All routes, also in a file, for whoever reads that. */
export class ServiceRoutes {
  readonly #file: string;
  readonly #onError: (message: string) => void;
  readonly #listeners = new Set<(routes: readonly ServiceRoute[]) => void>();
  #routes: readonly ServiceRoute[] = [];
  #isWritten = false;
  #writing: Promise<void> = Promise.resolve();

  constructor(file: string, onError: (message: string) => void) {
    this.#file = file;
    this.#onError = onError;
  }

  get all(): readonly ServiceRoute[] {
    return this.#routes;
  }

  onChange(listener: (routes: readonly ServiceRoute[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Settles when the file says so. Of two routes with one path the first gets it. */
  async set(wanted: readonly ServiceRoute[]): Promise<void> {
    const routes = withoutTwins(wanted);
    if (this.#isWritten && JSON.stringify(routes) === JSON.stringify(this.#routes)) return;
    this.#isWritten = true;
    this.#routes = routes;
    this.#writing = this.#writing.then(async () => {
      const text = `${JSON.stringify({ routes }, null, 2)}\n`;
      await writeFileDurably(this.#file, text).catch((thrown) => this.#onError(messageOf(thrown)));
    });
    for (const listener of this.#listeners) listener(routes);
    await this.#writing;
  }

  async flushed(): Promise<void> {
    await this.#writing;
  }
}

function withoutTwins(routes: readonly ServiceRoute[]): ServiceRoute[] {
  const seen = new Set<string>();
  return routes.filter(({ path }) => {
    const isNew = !seen.has(path.toLowerCase());
    seen.add(path.toLowerCase());
    return isNew;
  });
}
