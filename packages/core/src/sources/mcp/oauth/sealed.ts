import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/** Text that only the holder of a secret reads: AES-256-GCM, bound to what it belongs to. */

/** Encrypts a text. `belongsTo` must be the same when it is opened. */
export function seal(text: string, secret: string, belongsTo: string): string {
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', keyOf(secret), iv);
  cipher.setAAD(Buffer.from(belongsTo));
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return [iv, cipher.getAuthTag(), sealed].map((part) => part.toString('base64url')).join('.');
}

/** The text, or undefined where the secret is another one or anything was changed. */
export function unseal(sealed: string, secret: string, belongsTo: string): string | undefined {
  const [iv, tag, content] = sealed.split('.').map((part) => Buffer.from(part, 'base64url'));
  if (iv?.length !== 12 || tag?.length !== 16 || content === undefined) return undefined;
  try {
    const decipher = createDecipheriv('aes-256-gcm', keyOf(secret), iv, { authTagLength: 16 });
    decipher.setAAD(Buffer.from(belongsTo));
    decipher.setAuthTag(tag);
    return Buffer.concat([decipher.update(content), decipher.final()]).toString('utf8');
  } catch {
    // A forged tag, another key: there is nothing more to know.
    return undefined;
  }
}

/** A key for this use alone: the same secret may protect other things too. */
function keyOf(secret: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, 'luna', 'upstream authorization', 32));
}
