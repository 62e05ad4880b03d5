import { lookup } from 'node:dns/promises';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { LunaError, messageOf } from '../errors/index.ts';
import { assertMayReach, type EgressPolicy } from '../sources/egress/index.ts';
import { proxySettings } from '../supervisor/index.ts';
import { unpackTar } from './archive.ts';
import { runCommand } from './command.ts';
import type { FetchOptions } from './fetch-options.ts';
import type { GitProtocol, UpdateSource } from './source.ts';

export interface GitFetchOptions extends FetchOptions {
  readonly protocols: readonly GitProtocol[];
}

/** What was fetched. */
export interface GitState {
  readonly commit: string;
  /** When it was committed, as the commit says, in milliseconds since the epoch. */
  readonly committedAt: number;
}

/** How often the repository is measured while it grows, in milliseconds. */
const measureMs = 250;

/**
 * Fetches the newest state of a repository and unpacks it, without ever having a working tree: no hook, filter,
 * submodule or setting of the repository is looked at. Throws `forbidden` for a protocol or a host
 * that is not allowed, `upstream_error`, `timeout`, `too_large`, `invalid_input`.
 */
export async function fetchGit(source: UpdateSource & { kind: 'git' }, options: GitFetchOptions): Promise<GitState> {
  if (!options.protocols.includes(source.protocol))
    throw new LunaError(
      'forbidden',
      `Luna does not fetch over ${source.protocol}. If you mean that, add "${source.protocol}" to luna.git_protocols in master_config.json.`,
    );
  const repository = join(options.workFolder, 'repository');
  await mkdir(repository, { recursive: true });
  const git = gitOf(options, repository, await pinned(source, options.egress));
  await git(['init', '--quiet', '--bare', '--template=', '--initial-branch=luna', '.']);
  const growth = new AbortController();
  const measuring = measured(repository, options.maxFetchBytes, growth);
  try {
    await git(
      ['fetch', '--quiet', '--depth=1', '--no-tags', '--no-recurse-submodules', '--', source.url, source.ref ?? 'HEAD'],
      growth.signal,
    );
  } catch (thrown) {
    if (growth.signal.aborted)
      throw new LunaError('too_large', `The repository is larger than ${options.maxFetchBytes} bytes.`);
    if (thrown instanceof LunaError && thrown.code !== 'process_failed') throw thrown;
    throw new LunaError('upstream_error', `The repository cannot be fetched: ${lastWords(thrown)}`, { cause: thrown });
  } finally {
    clearInterval(measuring);
  }
  const answerOf = async (...args: string[]) => {
    let answer = '';
    await git(args, undefined, async (output) => {
      answer = (await text(output)).trim();
    });
    return answer;
  };
  const hashOf = (object: string) => answerOf('rev-parse', '--verify', '--end-of-options', object);
  const commit = await hashOf('FETCH_HEAD^{commit}');
  const tree = source.path === undefined ? commit : await treeOf(source.path, commit, hashOf);
  const { limits, signal, into } = options;
  await git(['archive', '--format=tar', tree], undefined, (output) => unpackTar(output, into, { limits, signal }));
  return { commit, committedAt: Number(await answerOf('show', '--no-patch', '--format=%ct', commit)) * 1000 };
}

async function treeOf(path: string, commit: string, hashOf: (object: string) => Promise<string>): Promise<string> {
  try {
    return await hashOf(`${await hashOf(`${commit}:${path}`)}^{tree}`);
  } catch (thrown) {
    if (thrown instanceof LunaError && thrown.code !== 'process_failed') throw thrown;
    throw new LunaError('not_found', `The repository has no folder "${path}".`, { cause: thrown });
  }
}

type Git = (
  args: readonly string[],
  signal?: AbortSignal,
  onOutput?: Parameters<typeof runCommand>[0]['onOutput'],
) => Promise<void>;

/** git with nothing of the person's, the machine's or the repository's settings. */
function gitOf(options: GitFetchOptions, repository: string, extra: readonly string[]): Git {
  const settings = [
    'core.hooksPath=/dev/null',
    'core.fsmonitor=false',
    'core.attributesFile=/dev/null',
    'credential.helper=',
    'credential.interactive=false',
    'protocol.allow=never',
    ...options.protocols.map((protocol) => `protocol.${protocol}.allow=always`),
    // A server could lead elsewhere than where it was agreed to go.
    'http.followRedirects=false',
    'fetch.unpackLimit=1',
    'transfer.bundleURI=false',
    'transfer.advertiseSID=false',
    'gc.auto=0',
    'maintenance.auto=false',
    'safe.directory=*',
    ...extra,
  ].flatMap((setting) => ['-c', setting]);
  const env = {
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: 'false',
    SSH_ASKPASS: 'false',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_ALLOW_PROTOCOL: options.protocols.join(':'),
    GIT_DIR: repository,
    GIT_SSH_COMMAND: 'ssh -oBatchMode=yes -oConnectTimeout=15',
  };
  const { owner, signal, limitMs } = options;
  return (args, growth, onOutput) => {
    const both = growth && signal ? AbortSignal.any([growth, signal]) : (growth ?? signal);
    return runCommand({
      command: 'git',
      args: [...settings, ...args],
      cwd: repository,
      env,
      owner,
      limitMs,
      signal: both,
      onOutput,
    });
  };
}

/** Judges the host, and holds git to the very addresses that were judged. */
async function pinned(source: UpdateSource & { kind: 'git' }, egress: EgressPolicy): Promise<string[]> {
  const { host, protocol } = source;
  if (protocol === 'file') return [];
  if (isIP(host)) {
    assertMayReach(host, host, egress);
    return [];
  }
  // A proxy looks names up by itself.
  if (protocol.startsWith('http') && proxySettings() !== undefined) return [];
  const addresses = await lookup(host, { all: true }).catch((thrown: unknown) => {
    throw new LunaError('upstream_error', `The name ${host} has no address: ${messageOf(thrown)}`, { cause: thrown });
  });
  for (const { address } of addresses) assertMayReach(host, address, egress);
  if (!protocol.startsWith('http')) return [];
  const port = source.port ?? (protocol === 'https' ? '443' : '80');
  return [`http.curloptResolve=${host}:${port}:${addresses.map(({ address }) => address).join(',')}`];
}

function measured(folder: string, limit: number, growth: AbortController): NodeJS.Timeout {
  return setInterval(() => {
    void sizeOf(folder).then((bytes) => {
      if (bytes > limit) growth.abort();
    });
  }, measureMs);
}

async function sizeOf(folder: string): Promise<number> {
  let bytes = 0;
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    // Files come and go while git works.
    bytes += await stat(join(entry.parentPath, entry.name)).then(
      ({ size }) => size,
      () => 0,
    );
  }
  return bytes;
}

function lastWords(thrown: unknown): string {
  return messageOf(thrown)
    .replace(/^git .*?: /, '')
    .slice(0, 500);
}
