import ipaddr from 'ipaddr.js';

/**
 * What kind of place an address is. `public`: the internet. `private`: this machine or the network around it.
 * `metadata`: link-local, where clouds keep the credentials of a machine. `none`: nothing that one could talk to.
 */
export type Reach = 'public' | 'private' | 'metadata' | 'none';

/** Judges an IP address in any notation of IPv4 or IPv6. What is not an address reaches nothing. */
export function reachOf(address: string): Reach {
  const bare = address.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  if (!ipaddr.isValid(bare)) return 'none';
  const parsed = ipaddr.parse(bare);
  return parsed instanceof ipaddr.IPv4 ? reachOfV4(parsed) : reachOfV6(parsed as ipaddr.IPv6);
}

/** The address in the one form by which addresses are compared: `::ffff:127.0.0.1` is `127.0.0.1`. */
export function canonicalAddress(address: string): string | undefined {
  const bare = address.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  return ipaddr.isValid(bare) ? ipaddr.process(bare).toString() : undefined;
}

/** Whether an address lies in a range such as `10.0.0.0/8`. */
export function isInRange(address: string, range: string): boolean {
  if (!ipaddr.isValidCIDR(range) || !ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  const [network, bits] = ipaddr.parseCIDR(range);
  return parsed.kind() === network.kind() && parsed.match(network, bits);
}

/** Addresses at which clouds answer with credentials, beside all that is link-local. */
const metadataAddresses = new Set(['100.100.100.200', '192.0.0.192', '168.63.129.16', 'fd00:ec2::254']);
const privateRanges = new Set(['loopback', 'private', 'carrierGradeNat', 'uniqueLocal']);
/** Set aside by IANA, though ipaddr.js counts them as ordinary. */
const v4Reserved = ['198.18.0.0/15'];
const v6Reserved = ['2001::/23', '3fff::/20'];

function reachOfV4(address: ipaddr.IPv4): Reach {
  const text = address.toString();
  const range = address.range();
  if (range === 'linkLocal' || metadataAddresses.has(text)) return 'metadata';
  // 0.0.0.0 is this machine on Linux.
  if (privateRanges.has(range) || isInRange(text, '0.0.0.0/8')) return 'private';
  return range === 'unicast' && !v4Reserved.some((reserved) => isInRange(text, reserved)) ? 'public' : 'none';
}

function reachOfV6(address: ipaddr.IPv6): Reach {
  const text = address.toString();
  const embedded = embeddedV4(address);
  if (embedded) return reachOfV4(embedded);
  const range = address.range();
  if (range === 'linkLocal' || metadataAddresses.has(text)) return 'metadata';
  if (privateRanges.has(range) || range === 'unspecified') return 'private';
  // The site-local addresses of old.
  if (isInRange(text, 'fec0::/10')) return 'private';
  // All that is handed out to the internet lies in 2000::/3.
  if (!isInRange(text, '2000::/3')) return 'none';
  return range === 'unicast' && !v6Reserved.some((reserved) => isInRange(text, reserved)) ? 'public' : 'none';
}

/** The IPv4 address to which a translator or a tunnel would carry this on. */
function embeddedV4(address: ipaddr.IPv6): ipaddr.IPv4 | undefined {
  if (address.isIPv4MappedAddress()) return address.toIPv4Address();
  const bytes = address.toByteArray();
  const at = (begin: number) => new ipaddr.IPv4(bytes.slice(begin, begin + 4));
  const text = address.toString();
  // 6to4 carries it behind its prefix; Teredo carries it last, inverted.
  if (isInRange(text, '2002::/16')) return at(2);
  if (isInRange(text, '2001::/32')) return new ipaddr.IPv4(bytes.slice(12).map((byte) => byte ^ 0xff));
  const last = ['64:ff9b::/96', '64:ff9b:1::/48', '::ffff:0:0:0/96', '::/96'].some((prefix) => isInRange(text, prefix));
  return last && !['::', '::1'].includes(text) ? at(12) : undefined;
}
