import { createCipheriv, createDecipheriv, randomBytes, type ScryptOptions, scrypt } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { LunaError } from '../../errors/index.ts';
import type { Seal } from './format.ts';

const shortestPassphrase = 8;
/** About a third of a second, and 128 MiB: what a guess costs. */
const cost = { N: 131_072, r: 8, p: 1 };

/** Throws `invalid_input` for a passphrase that is too short to protect anything. */
export function assertPassphrase(passphrase: string): void {
  if (passphrase.length >= shortestPassphrase) return;
  throw new LunaError('invalid_input', `The passphrase is too short: use ${shortestPassphrase} characters or more.`);
}

/** Encrypts a file into another one; returns what is needed beside the passphrase to open it. */
export async function sealFile(from: string, to: string, passphrase: string): Promise<Seal> {
  const [salt, iv] = [randomBytes(16), randomBytes(12)];
  const cipher = createCipheriv('aes-256-gcm', await keyOf(passphrase, salt, cost), iv);
  await pipeline(createReadStream(from), cipher, createWriteStream(to, { mode: 0o600 }));
  const text = (bytes: Buffer) => bytes.toString('base64url');
  return {
    cipher: 'aes-256-gcm',
    kdf: 'scrypt',
    ...cost,
    salt: text(salt),
    iv: text(iv),
    tag: text(cipher.getAuthTag()),
  };
}

/** Decrypts a file into another one, which is worth nothing when this throws: `forbidden` for another passphrase. */
export async function unsealFile(from: string, to: string, passphrase: string, seal: Seal): Promise<void> {
  const bytes = (text: string) => Buffer.from(text, 'base64url');
  const [iv, tag] = [bytes(seal.iv), bytes(seal.tag)];
  if (iv.length !== 12 || tag.length !== 16) throw new LunaError('invalid_input', 'The backup is damaged.');
  const key = await keyOf(passphrase, bytes(seal.salt), seal);
  const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: 16 });
  decipher.setAuthTag(tag);
  try {
    await pipeline(createReadStream(from), decipher, createWriteStream(to, { mode: 0o600 }));
  } catch (thrown) {
    throw new LunaError('forbidden', 'The passphrase is not the one of this backup, or the backup was changed.', {
      cause: thrown,
    });
  }
}

function keyOf(passphrase: string, salt: Buffer, { N, r, p }: Pick<Seal, 'N' | 'r' | 'p'>): Promise<Buffer> {
  const options: ScryptOptions = { N, r, p, maxmem: 256 * N * r };
  return new Promise((settle, reject) => {
    scrypt(passphrase.normalize('NFC'), salt, 32, options, (error, key) => (error ? reject(error) : settle(key)));
  });
}
