import { LunaError } from '../../errors/index.ts';
import { canonicalAddress, isInRange, reachOf } from './addresses.ts';

/** What the owner of Luna allows it to reach beside the internet. */
export interface EgressPolicy {
  /** Hosts that may lie inside: names, addresses, and ranges such as `10.0.0.0/8`. */
  readonly allowedHosts?: readonly string[];
  /** Everything inside, except for the metadata services of clouds. */
  readonly allowPrivateNetwork?: boolean;
}

/** Throws `forbidden` unless the policy lets Luna talk to this address, which `host` stands for. */
export function assertMayReach(host: string, address: string, policy: EgressPolicy): void {
  const reach = reachOf(address);
  if (reach === 'public' || (reach !== 'none' && isAllowed(host, address, reach, policy))) return;
  const what = canonicalAddress(host) === canonicalAddress(address) ? host : `${host} (${address})`;
  if (reach === 'none') throw new LunaError('forbidden', `${what} is not an address that one can talk to.`);
  const remedy =
    reach === 'metadata'
      ? `add "${address}" to luna.allowed_private_hosts`
      : `add "${bareHost(host)}" to luna.allowed_private_hosts, or set allow_private_network on the server`;
  throw new LunaError(
    'forbidden',
    `${what} is inside your network, where Luna goes only with your leave. If you mean that, ${remedy} in master_config.json.`,
    { details: { host: bareHost(host), address } },
  );
}

/** Whether a host, as it stands in a URL, is this machine or inside the network without asking anyone. */
export function isLiterallyInside(host: string): boolean {
  const bare = bareHost(host);
  if (bare === 'localhost' || bare.endsWith('.localhost')) return true;
  const reach = reachOf(bare);
  return reach === 'private' || reach === 'metadata';
}

/** A host as it is compared: no brackets, no dot at the end, small letters. */
export function bareHost(host: string): string {
  return host
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase();
}

function isAllowed(host: string, address: string, reach: 'private' | 'metadata', policy: EgressPolicy): boolean {
  const allowed = (policy.allowedHosts ?? []).map(bareHost);
  const named = canonicalAddress(address);
  if (allowed.some((entry) => canonicalAddress(entry) === named)) return true;
  // A range or a name was not written with credentials of the machine in mind: those take their own address.
  if (reach === 'metadata') return false;
  if (policy.allowPrivateNetwork) return true;
  return allowed.some((entry) => entry === bareHost(host) || isInRange(named ?? '', entry));
}
