import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { LunaError } from '../errors/index.ts';

/** What a folder holds, as one value, and how much it is. */
export interface FolderDigest {
  /** `sha256:` and 64 hexadecimal digits. */
  readonly digest: string;
  readonly files: readonly string[];
  readonly bytes: number;
}

/**
 * The digest of a folder: of the path, the right to be run, and the content of each file. Throws `invalid_input` for
 * anything else than plain files and folders.
 */
export async function digestOfFolder(folder: string): Promise<FolderDigest> {
  const whole = createHash('sha256');
  const files: string[] = [];
  let bytes = 0;
  const visit = async (path: string): Promise<void> => {
    const names = (await readdir(join(folder, path))).sort();
    for (const name of names) {
      const inner = path === '' ? name : `${path}/${name}`;
      const { mode, size } = await lstat(join(folder, inner));
      const kind = mode & 0o170000;
      if (kind === 0o040000) await visit(inner);
      else if (kind !== 0o100000) throw new LunaError('invalid_input', `${inner} is no plain file.`);
      else {
        const content = await digestOfFile(join(folder, inner));
        // Lengths first, so that no two folders give the same text.
        whole.update(`${Buffer.byteLength(inner)}:${inner}:${mode & 0o100 ? 'x' : '-'}:${content}\n`);
        files.push(inner);
        bytes += size;
      }
    }
  };
  await visit('');
  return { digest: `sha256:${whole.digest('hex')}`, files, bytes };
}

async function digestOfFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest('hex');
}
