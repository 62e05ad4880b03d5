import ipaddr from 'ipaddr.js';

/**
 * The address of who asks. It is the other end of the connection; only where that is a proxy that the owner has named
 * (addresses or ranges) is `X-Forwarded-For` believed, from its end on, up to the first address that is no such proxy.
 */
export function clientAddress(
  peer: string | undefined,
  forwardedFor: string | undefined,
  trustedProxies: readonly string[],
): string {
  let address = canonical(peer ?? '') ?? '';
  if (trustedProxies.length === 0 || forwardedFor === undefined) return address;
  for (const hop of forwardedFor.split(',').reverse()) {
    if (!trustedProxies.some((proxy) => isWithin(address, proxy))) break;
    const before = canonical(hop.trim());
    if (before === undefined) break;
    address = before;
  }
  return address;
}

function canonical(address: string): string | undefined {
  return ipaddr.isValid(address) ? ipaddr.process(address).toString() : undefined;
}

function isWithin(address: string, range: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  if (!range.includes('/')) return canonical(range) === address;
  const parsed = ipaddr.parse(address);
  const [network, bits] = ipaddr.parseCIDR(range);
  return parsed.kind() === network.kind() && parsed.match(network, bits);
}
