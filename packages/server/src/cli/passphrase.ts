import { readFile } from 'node:fs/promises';
import { LunaError, messageOf } from '@luna/core/errors';
import { readSecret } from './secret-input.ts';

export interface PassphraseOptions {
  /** A file with the passphrase, or `-` for standard input. */
  readonly passphraseFile?: string;
  readonly withoutSecrets?: boolean;
}

/**
 * The passphrase: from the file, or asked in a terminal, twice when it is a new one. Undefined when secrets are to be
 * left out, and where there is neither file nor terminal.
 */
export async function passphraseFrom(options: PassphraseOptions, isNew: boolean): Promise<string | undefined> {
  const { passphraseFile: file, withoutSecrets } = options;
  if (withoutSecrets) {
    if (file !== undefined) throw new LunaError('invalid_input', 'Give --passphrase-file or --without-secrets.');
    return undefined;
  }
  if (file !== undefined && file !== '-') return readPassphrase(file);
  if (file === undefined && !process.stdin.isTTY) return undefined;
  const passphrase = await readSecret('Passphrase');
  if (isNew && process.stdin.isTTY && (await readSecret('Once more')) !== passphrase) {
    throw new LunaError('invalid_input', 'The two are not the same.');
  }
  return passphrase;
}

async function readPassphrase(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).replace(/\r?\n$/, '');
  } catch (thrown) {
    throw new LunaError('invalid_input', `Cannot read ${file}: ${messageOf(thrown)}`, { cause: thrown });
  }
}
