import type { Luna } from '@luna/core/control';
import { z } from 'zod';

/** Something of this Luna that a browser or a client can go to directly. */
export const lunaAddress = z.object({
  kind: z.enum(['dashboard', 'hub', 'agents', 'extension', 'service']),
  name: z.string(),
  url: z.string(),
});
export type LunaAddress = z.infer<typeof lunaAddress>;

/** All addresses: the dashboard, hubs, agents, UIs of extensions, and UIs of external services. */
export async function addressesOf(luna: Luna): Promise<LunaAddress[]> {
  const { publicUrl } = luna;
  const hubs = luna.admin.hubs().filter(({ enabled }) => enabled);
  const services = await luna.services.describe();
  const external = await luna.externalServices.installed();
  return [
    { kind: 'dashboard', name: 'dashboard', url: `${publicUrl}/` },
    ...hubs.map(({ name, url }) => ({ kind: 'hub' as const, name, url })),
    { kind: 'agents', name: 'agents', url: `${publicUrl}/v1` },
    ...services.flatMap(({ extension, kind, url }) =>
      kind === 'ui' && url !== undefined ? [{ kind: 'extension' as const, name: extension, url }] : [],
    ),
    ...external.flatMap(({ name, path }) =>
      path === undefined ? [] : [{ kind: 'service' as const, name, url: `${publicUrl}${path}` }],
    ),
  ];
}
