import { createReadStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { LunaError, messageOf, systemCodeOf } from '../errors/index.ts';
import { ArchiveWriter, type UnpackOptions } from './archive-writer.ts';
import { readTar, type TarOptions } from './tar.ts';
import { readZip } from './zip.ts';

/**
 * Unpacks a zip file into a new folder. Throws `invalid_input` for an archive that is broken, lies or attacks,
 * `too_large` for one over the limits, `no_space`, `cancelled`; then the folder is not there.
 */
export function unpackZip(file: string, into: string, options: UnpackOptions = {}): Promise<void> {
  return unpack(into, options, (writer) => readZip(file, writer));
}

/** Unpacks a tar from a stream or a file, by the rules of {@link unpackZip}. */
export function unpackTar(
  from: Readable | string,
  into: string,
  options: UnpackOptions & Partial<TarOptions> = {},
): Promise<void> {
  const stream = typeof from === 'string' ? createReadStream(from) : from;
  // What goes wrong shows where it is read; before that nobody listens.
  stream.on('error', () => undefined);
  const { gzip = false, strip = 0 } = options;
  return unpack(into, options, (writer) => readTar(stream, writer, { gzip, strip }));
}

async function unpack(
  into: string,
  options: UnpackOptions,
  read: (writer: ArchiveWriter) => Promise<void>,
): Promise<void> {
  // Not recursive: a folder that is there already is somebody else's.
  await mkdir(into, { mode: 0o755 });
  try {
    await read(new ArchiveWriter(into, options));
  } catch (thrown) {
    await rm(into, { recursive: true, force: true });
    throw archiveError(thrown, options.signal);
  }
}

function archiveError(thrown: unknown, signal?: AbortSignal): unknown {
  if (thrown instanceof LunaError) return thrown;
  if (signal?.aborted) return new LunaError('cancelled', 'Unpacking was broken off.', { cause: thrown });
  const code = systemCodeOf(thrown);
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new LunaError('no_space', 'The disk is full: nothing was unpacked. Free some space and try again.', {
      cause: thrown,
    });
  return new LunaError('invalid_input', `The archive cannot be read: ${messageOf(thrown)}`, { cause: thrown });
}
