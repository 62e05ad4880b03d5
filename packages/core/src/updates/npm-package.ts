import { createHash, timingSafeEqual } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { LunaError, messageOf } from '../errors/index.ts';
import { guardedDispatcher, guardedFetch } from '../sources/egress/index.ts';
import { proxySettings, registryEnvironment } from '../supervisor/index.ts';
import { unpackTar } from './archive.ts';
import { runCommand } from './command.ts';
import type { FetchOptions } from './fetch-options.ts';
import type { UpdateSource } from './source.ts';

export interface NpmFetchOptions extends FetchOptions {
  /** The address of the registry. Left out: the one that npm is set to. */
  readonly registry?: string | undefined;
  /** Whether it matters when the release was made. Registries tell that in a much longer document only. */
  readonly wantsTime?: boolean | undefined;
}

/** What was fetched. */
export interface NpmRelease {
  readonly version: string;
  /** Milliseconds since the epoch, where the registry says so. */
  readonly releasedAt?: number;
}

const maxDocumentBytes = 64 * 1024 * 1024;
const algorithms = ['sha512', 'sha384'] as const;

const release = z.looseObject({
  version: z.string(),
  dist: z.looseObject({ tarball: z.url({ protocol: /^https?$/ }), integrity: z.string().optional() }),
});
const packageDocument = z.looseObject({
  'dist-tags': z.record(z.string(), z.string()).default({}),
  versions: z.record(z.string(), z.unknown()).default({}),
  time: z.record(z.string(), z.unknown()).default({}),
});

/**
 * Fetches one release of a package as its archive, and unpacks it when its checksum is the one that the registry names.
 * No script of it runs. Throws `not_found`, `upstream_error`, `forbidden`, `too_large`,
 * `invalid_input`.
 */
export async function fetchNpm(source: UpdateSource & { kind: 'npm' }, options: NpmFetchOptions): Promise<NpmRelease> {
  const registry = new URL(options.registry ?? (await npmRegistry(options)));
  if (!registry.pathname.endsWith('/')) registry.pathname += '/';
  const { signal, limits, into } = options;
  // Whoever sets a registry means it to be reached, wherever it is.
  const allowedHosts = [...(options.egress.allowedHosts ?? []), registry.hostname];
  const dispatcher = guardedDispatcher({ ...options.egress, allowedHosts }, { proxy: proxySettings() });
  const deadline = AbortSignal.timeout(options.limitMs);
  const get = getter(guardedFetch(dispatcher), signal ? AbortSignal.any([signal, deadline]) : deadline);
  try {
    const said = await document(source, registry, get, options.wantsTime);
    const found = releaseOf(source, said);
    const file = join(options.workFolder, 'package.tgz');
    await download(await get(new URL(found.dist.tarball), '*/*'), file, options.maxFetchBytes, found);
    await unpackTar(createReadStream(file), into, { gzip: true, strip: 1, limits, signal });
    const releasedAt = Date.parse(String(said.time[found.version]));
    return { version: found.version, ...(Number.isFinite(releasedAt) && { releasedAt }) };
  } catch (thrown) {
    if (signal?.aborted) throw new LunaError('cancelled', 'Fetching was broken off.', { cause: thrown });
    if (deadline.aborted) throw new LunaError('timeout', `The registry takes too long to hand out ${source.name}.`);
    throw thrown;
  } finally {
    await dispatcher.destroy();
  }
}

type Release = z.infer<typeof release>;
type Get = (url: URL, accept: string) => Promise<Response>;

function getter(fetch: typeof globalThis.fetch, signal: AbortSignal): Get {
  return async (url, accept) => {
    let response: Response;
    try {
      response = await fetch(url, { headers: { accept }, signal });
    } catch (thrown) {
      if (thrown instanceof LunaError) throw thrown;
      throw new LunaError('upstream_error', `The npm registry cannot be reached: ${messageOf(thrown)}`, {
        cause: thrown,
      });
    }
    if (response.ok && response.body) return response;
    await response.body?.cancel();
    if (response.status === 404) throw new LunaError('not_found', 'The npm registry has no such package or version.');
    throw new LunaError('upstream_error', `The npm registry answered with HTTP ${response.status}.`);
  };
}

async function document(source: UpdateSource & { kind: 'npm' }, registry: URL, get: Get, isWhole = false) {
  const url = new URL(source.name.replace('/', '%2f'), registry);
  const short = 'application/vnd.npm.install-v1+json, application/json;q=0.9';
  const response = await get(url, isWhole ? 'application/json' : short);
  let content = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    content += decoder.decode(chunk, { stream: true });
    if (content.length > maxDocumentBytes)
      throw new LunaError('too_large', `What the npm registry says of ${source.name} is too long.`);
  }
  try {
    return packageDocument.parse(JSON.parse(content));
  } catch (thrown) {
    throw new LunaError('upstream_error', 'The npm registry answered with something else than a package.', {
      cause: thrown,
    });
  }
}

function releaseOf(source: UpdateSource & { kind: 'npm' }, found: z.infer<typeof packageDocument>): Release {
  const wanted = source.version ?? 'latest';
  const tags = found['dist-tags'];
  const version = Object.hasOwn(tags, wanted) ? tags[wanted] : wanted;
  const listed = version !== undefined && Object.hasOwn(found.versions, version) ? found.versions[version] : undefined;
  if (listed === undefined)
    throw new LunaError(
      'not_found',
      `The package ${source.name} has no version or tag "${wanted}". Give one version, such as 1.2.3; ranges are not read.`,
    );
  const parsed = release.safeParse(listed);
  if (!parsed.success)
    throw new LunaError('upstream_error', `The npm registry says nothing usable of ${source.name}@${version}.`);
  return parsed.data;
}

async function download(response: Response, file: string, maxBytes: number, { dist, version }: Release): Promise<void> {
  const expected = strongest(dist.integrity ?? '');
  if (!expected)
    throw new LunaError(
      'forbidden',
      `The registry names no checksum (SHA-512) for version ${version}, so that nobody could tell whether it is the right one.`,
    );
  const hash = createHash(expected.algorithm);
  const output = await open(file, 'wx', 0o600);
  let bytes = 0;
  try {
    for await (const chunk of response.body ?? []) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw new LunaError('too_large', `The package is larger than ${maxBytes} bytes.`);
      hash.update(chunk);
      await output.write(chunk);
    }
  } finally {
    await output.close();
  }
  const got = hash.digest();
  if (!expected.digests.some((digest) => digest.length === got.length && timingSafeEqual(digest, got)))
    throw new LunaError(
      'upstream_error',
      `The package that came is not the one that the registry names: the checksum of version ${version} is another.`,
    );
}

/** The checksums of the best algorithm that is named, by the rules of Subresource Integrity. */
function strongest(integrity: string): { algorithm: string; digests: Buffer[] } | undefined {
  const parts = integrity.split(/\s+/).map((part) => part.split('-', 2));
  for (const algorithm of algorithms) {
    const digests = parts
      .filter(([name]) => name === algorithm)
      .map(([, value = '']) => Buffer.from(value.split('?')[0] ?? '', 'base64'));
    if (digests.length > 0) return { algorithm, digests };
  }
  return undefined;
}

async function npmRegistry({ workFolder, owner, signal }: NpmFetchOptions): Promise<string> {
  let answer = '';
  await runCommand({
    command: 'npm',
    args: ['config', 'get', 'registry', '--global', '--loglevel=silent'],
    cwd: workFolder,
    env: registryEnvironment(),
    owner,
    signal,
    limitMs: 30_000,
    onOutput: async (output) => {
      answer = (await text(output)).trim();
    },
  });
  if (!URL.canParse(answer) || !/^https?:/.test(answer))
    throw new LunaError('config_invalid', 'npm names no registry. Set luna.npm_registry in master_config.json.');
  return answer;
}
