import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { extract } from 'tar';
import { EnvFile, homePaths, masterConfigSchema, parseJsonText } from '../../config/index.ts';
import { LunaError, messageOf } from '../../errors/index.ts';
import { checkDatabase } from '../../store/index.ts';
import { takeLock } from '../../supervisor/index.ts';
import { resolveText } from '../configuration-file.ts';
import { configName, digestOf, filesName, type Manifest, manifestName, manifestSchema, secretsName } from './format.ts';
import { unsealFile } from './sealed-file.ts';

export interface RestoreOptions {
  readonly home: string;
  /** A backup. */
  readonly file: string;
  /** For a backup with secrets. Left out: they are not restored, and those of the home stay. */
  readonly passphrase?: string;
}

export interface RestoreOutcome {
  readonly createdAt: string;
  readonly version: string;
  readonly withSecrets: boolean;
  /** Where what was in the home is now, if anything was. */
  readonly formerHome?: string;
}

const maxEntries = 500_000;
const maxBytes = 50 * 1024 ** 3;

/** What a backup says of itself. Throws `invalid_input` when the file is none. */
export async function inspectBackup(file: string): Promise<Manifest> {
  const stage = await mkdtemp(join(dirname(resolve(file)), '.luna-restore-'));
  try {
    return await openBackup(file, stage);
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}

/**
 * Puts a backup in the place of a home. Everything is unpacked and checked beside it first; what was in the home is
 * moved aside, not deleted. Throws `already_running` when a Luna runs on the home, `invalid_input` for a file that is no
 * backup or is damaged, `forbidden` for another passphrase; then the home is as it was.
 */
export async function restoreBackup({ home, file, passphrase }: RestoreOptions): Promise<RestoreOutcome> {
  const root = resolve(home);
  await mkdir(dirname(root), { recursive: true });
  const hadFiles = (await readdir(root).catch(() => [])).length > 0;
  const lock = hadFiles ? await takeLock(homePaths(root).lock) : undefined;
  const stage = await mkdtemp(join(dirname(root), '.luna-restore-'));
  let formerHome: string | undefined;
  try {
    const manifest = await openBackup(file, stage);
    const made = join(stage, 'home');
    await mkdir(made, { mode: 0o755 });
    await unpack(join(stage, filesName), made);
    const withSecrets = manifest.secrets !== undefined && passphrase !== undefined;
    if (manifest.secrets && passphrase !== undefined) {
      const plain = join(stage, 'secrets.tar.gz');
      await unsealFile(join(stage, secretsName), plain, passphrase, manifest.secrets.seal);
      await unpack(plain, made);
    } else await keepSecrets(root, made, await readFile(join(stage, configName), 'utf8'));
    await assertSound(made);
    formerHome = await swap(made, root, hadFiles);
    // Our lock went aside with the home that it is of.
    if (formerHome !== undefined) await rm(homePaths(formerHome).lock, { force: true });
    return { createdAt: manifest.createdAt, version: manifest.version, withSecrets, ...(formerHome && { formerHome }) };
  } finally {
    if (formerHome === undefined) await lock?.release();
    await rm(stage, { recursive: true, force: true });
  }
}

/** Takes a backup apart and checks that nothing in it was changed since. */
async function openBackup(file: string, stage: string): Promise<Manifest> {
  try {
    await unpack(file, stage, new Set([manifestName, filesName, configName, secretsName]));
    const text = await readFile(join(stage, manifestName), 'utf8');
    const manifest = manifestSchema.parse(JSON.parse(text));
    const parts: [string, string][] = [
      [filesName, manifest.files.sha256],
      [configName, manifest.config.sha256],
    ];
    if (manifest.secrets) parts.push([secretsName, manifest.secrets.sha256]);
    for (const [name, sha256] of parts) {
      if ((await digestOf(join(stage, name))) !== sha256) throw new Error(`${name} was changed`);
    }
    return manifest;
  } catch (thrown) {
    const reason = thrown instanceof SyntaxError || thrown instanceof Error ? messageOf(thrown).split('\n')[0] : '';
    throw new LunaError('invalid_input', `${file} is no backup of Luna, or is damaged: ${reason}`, { cause: thrown });
  }
}

/** Unpacks plain files and folders, and refuses an archive with anything else or anything that leads outside. */
async function unpack(file: string, cwd: string, only?: ReadonlySet<string>): Promise<void> {
  let entries = 0;
  let bytes = 0;
  let refused: string | undefined;
  await extract({
    file,
    cwd,
    strict: true,
    noChmod: false,
    preserveOwner: false,
    filter: (path, entry) => {
      const type = 'type' in entry ? entry.type : '';
      const isPlain = type === 'File' || type === 'OldFile' || type === 'Directory';
      const parts = path.split(/[\\/]/);
      const leadsOut = isAbsolute(path) || parts.includes('..') || path.includes('\0');
      entries++;
      bytes += entry.size;
      if (!isPlain || leadsOut || (only && !only.has(path))) refused ??= `it has "${path}" (${type})`;
      else if (entries > maxEntries || bytes > maxBytes) refused ??= 'it is larger than a backup can be';
      return refused === undefined;
    },
  });
  if (refused !== undefined) throw new LunaError('invalid_input', `The archive is refused: ${refused}.`);
}

/** Without the secrets of the backup those of the home stay, and the keys of its hubs with them. */
async function keepSecrets(root: string, made: string, text: string): Promise<void> {
  const [now, then] = [homePaths(root), homePaths(made)];
  await mkdir(then.generated, { recursive: true, mode: 0o700 });
  const kept = ['env', 'database', 'upstreamTokens'] as const;
  for (const name of kept) await copyFile(now[name], then[name]).catch(() => undefined);
  // The last writes of a Luna that crashed.
  await copyFile(`${now.database}-wal`, `${then.database}-wal`).catch(() => undefined);
  const values = await new EnvFile(then.env).read();
  await writeFile(then.config, resolveText(text, values, 'master_config.json'), { mode: 0o600 });
}

async function assertSound(made: string): Promise<void> {
  const { config, database } = homePaths(made);
  parseJsonText(await readFile(config, 'utf8'), masterConfigSchema, 'master_config.json of the backup');
  const isThere = await stat(database).catch(() => undefined);
  const fault = isThere && (await checkDatabase(database));
  if (fault) throw new LunaError('invalid_input', `The database of the backup cannot be used: ${fault}.`);
}

/** Two renames; when the second one fails the first is undone. */
async function swap(made: string, root: string, hadFiles: boolean): Promise<string | undefined> {
  if (!hadFiles) {
    await rmdir(root).catch(() => undefined);
    await rename(made, root);
    return undefined;
  }
  const stamp = new Date().toISOString().replace(/[:.]/g, '-');
  const aside = join(dirname(root), `${basename(root)}.before-${stamp}`);
  await rename(root, aside);
  try {
    await rename(made, root);
  } catch (thrown) {
    await rename(aside, root);
    throw thrown;
  }
  return aside;
}
