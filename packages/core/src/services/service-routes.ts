import { z } from 'zod';
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

/** Of two with one path the one that stands first gets it. */
export function withoutTwins(routes: readonly ServiceRoute[]): ServiceRoute[] {
  const seen = new Set<string>();
  return routes.filter(({ path }) => {
    const isNew = !seen.has(path.toLowerCase());
    seen.add(path.toLowerCase());
    return isNew;
  });
}
