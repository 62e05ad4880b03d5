import { BlockList } from 'node:net';

/** Whether an IPv4 address is one that only machines nearby reach, so that no public authority gives a certificate. */
export function isOnlyInside(address: string | undefined): boolean {
  if (address === undefined) return false;
  const inside = new BlockList();
  for (const [network, bits] of [
    ['10.0.0.0', 8],
    ['100.64.0.0', 10],
    ['127.0.0.0', 8],
    ['169.254.0.0', 16],
    ['172.16.0.0', 12],
    ['192.168.0.0', 16],
  ] as const)
    inside.addSubnet(network, bits);
  return inside.check(address);
}
