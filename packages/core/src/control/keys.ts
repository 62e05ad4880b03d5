import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { HubConfig } from '../config/index.ts';

/** A key that cannot be guessed: 192 random bits, with a prefix by which it can be recognised in a leak. */
export function makeKey(prefix: string): string {
  return `${prefix}${randomBytes(24).toString('base64url')}`;
}

/** Compares two keys in a time that does not depend on where they differ. Only their lengths may show. */
export function keysEqual(one: string, other: string): boolean {
  const [first, second] = [Buffer.from(one), Buffer.from(other)];
  return first.length === second.length && timingSafeEqual(first, second);
}

/** A key in the form in which a configuration can hold it without giving it away. */
export function hashOfKey(key: string): string {
  return `sha256:${createHash('sha256').update(key).digest('hex')}`;
}

/** Whether a key is that of a hub, be it kept as it is or as a hash. */
export function keyOpens(hub: Pick<HubConfig, 'api_key' | 'api_key_hash'>, key: string): boolean {
  if (hub.api_key !== undefined) return keysEqual(hub.api_key, key);
  return hub.api_key_hash !== undefined && keysEqual(hub.api_key_hash, hashOfKey(key));
}

/** The environment key of what Luna encrypts with. */
export const encryptionKeyName = 'LUNA_ENCRYPTION_KEY';

/** What a key of agents begins with. */
export const agentKeyPrefix = 'sk-luna-';
