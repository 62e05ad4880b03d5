import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

const derive = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt);
/** About 60 ms and 64 MiB for each try. */
const cost = { N: 2 ** 16, r: 8, p: 1, maxmem: 128 * 1024 * 1024 };

/** A salted hash of a password, for the database. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const key = await derive(password.normalize('NFKC'), salt, 32, cost);
  return `scrypt:${cost.N}:${salt.toString('base64url')}:${key.toString('base64url')}`;
}

/** Whether a password is the one of the hash. Takes as long when there is no hash. */
export async function passwordMatches(password: string, hash: string | undefined): Promise<boolean> {
  const [, n = cost.N, salt = '', key = ''] = hash?.split(':') ?? [];
  const expected = Buffer.from(key, 'base64url');
  const given = await derive(password.normalize('NFKC'), Buffer.from(salt, 'base64url'), 32, { ...cost, N: Number(n) });
  return hash !== undefined && expected.length === given.length && timingSafeEqual(expected, given);
}
