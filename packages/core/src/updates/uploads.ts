import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LunaError, systemCodeOf } from '../errors/index.ts';
import { remove } from './folders.ts';

export const maxUploadBytes = 64 * 1024 * 1024;
const keptUploads = 20;
const keptMs = 24 * 3_600_000;

/** A file that was uploaded, and how it is named as a source. */
export interface Upload {
  readonly source: string;
  readonly bytes: number;
}

/**
 * Writes what comes into a file, and no more than the limit. Throws `too_large`, `invalid_input` for what is no zip,
 * `no_space`; then nothing is left.
 */
export async function takeUpload(
  folder: string,
  content: AsyncIterable<Buffer>,
  fileName: string,
  maxBytes = maxUploadBytes,
): Promise<Upload> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await tidyUploads(folder);
  const name = `${slugOf(fileName)}-${randomBytes(4).toString('hex')}.zip`;
  const part = join(folder, `.${name}.part`);
  const file = await open(part, 'wx', 0o600);
  try {
    let bytes = 0;
    let begin = Buffer.alloc(0);
    for await (const chunk of content) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw new LunaError('too_large', `An upload may have ${maxBytes} bytes.`);
      if (begin.length < 2) begin = Buffer.concat([begin, chunk.subarray(0, 2)]);
      await file.write(chunk);
    }
    if (begin.toString('latin1', 0, 2) !== 'PK')
      throw new LunaError('invalid_input', 'What was uploaded is no zip file. Send the bytes of one as the body.');
    await file.sync();
    await rename(part, join(folder, name));
    return { source: `upload:${name}`, bytes };
  } catch (thrown) {
    await remove(part);
    const code = systemCodeOf(thrown);
    if (code === 'ENOSPC' || code === 'EDQUOT')
      throw new LunaError('no_space', 'The disk is full: the upload was not kept. Free some space and try again.', {
        cause: thrown,
      });
    throw thrown;
  } finally {
    await file.close();
  }
}

/** Lets go of old uploads, and of those that were broken off. */
export async function tidyUploads(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  const found = await Promise.all(
    names.map(async (name) => ({ name, at: await stat(join(folder, name)).then(({ mtimeMs }) => mtimeMs) })),
  );
  const old = found
    .sort((one, other) => other.at - one.at)
    .filter(({ at }, index) => index >= keptUploads || Date.now() - at > keptMs);
  await Promise.all(old.map(({ name }) => remove(join(folder, name))));
}

function slugOf(fileName: string): string {
  const plain = fileName
    .replace(/\.zip$/i, '')
    .replace(/[^A-Za-z0-9_-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+|-+$/g, '');
  return plain.slice(0, 60) || 'extension';
}
