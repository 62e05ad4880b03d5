import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';

/** A backup is a tar of these files; {@link manifestSchema} is the first of them. */
export const manifestName = 'manifest.json';
/** A gzipped tar of the home, without what is secret. */
export const filesName = 'files.tar.gz';
/** The configuration with references in the place of secrets. */
export const configName = 'master_config.json';
/** A gzipped tar of what is secret, encrypted. Not there when a backup was made without a passphrase. */
export const secretsName = 'secrets.sealed';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const base64 = z.string().regex(/^[A-Za-z0-9_-]+$/);

/** How the secrets are encrypted. The limits keep a forged file from costing more than a passphrase should. */
export const sealSchema = z.strictObject({
  cipher: z.literal('aes-256-gcm'),
  kdf: z.literal('scrypt'),
  N: z.int().min(16_384).max(1_048_576),
  r: z.int().min(1).max(16),
  p: z.int().min(1).max(4),
  salt: base64,
  iv: base64,
  tag: base64,
});

export const manifestSchema = z.looseObject({
  format: z.literal(1),
  version: z.string().describe('The version of Luna that made it.'),
  createdAt: z.string(),
  files: z.object({ sha256 }),
  config: z.object({ sha256 }),
  secrets: z.object({ sha256, seal: sealSchema }).optional(),
});

export type Manifest = z.infer<typeof manifestSchema>;
export type Seal = z.infer<typeof sealSchema>;

const secretFile =
  /^(?:\.env|master_config\.json|\.luna\/(?:upstream-tokens\.json|luna\.db)|external_services\/[^/]+\/config\.json)$/;

/** Whether only the encrypted part of a backup holds a file, by its path in the home with `/`. */
export function isSecretFile(path: string): boolean {
  return secretFile.test(path);
}

export async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
