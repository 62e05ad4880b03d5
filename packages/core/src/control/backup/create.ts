import { copyFile, lstat, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { create } from 'tar';
import { type HomePaths, homePaths } from '../../config/index.ts';
import { LunaError, messageOf, systemCodeOf } from '../../errors/index.ts';
import { copyDatabase } from '../../store/index.ts';
import { exportText } from '../configuration-file.ts';
import { configName, digestOf, filesName, isSecretFile, type Manifest, manifestName, secretsName } from './format.ts';
import { assertPassphrase, sealFile } from './sealed-file.ts';

export interface BackupOptions {
  readonly home: string;
  /** Where the backup goes. A file that is there is replaced, once the new one is whole. */
  readonly file: string;
  /** The version of Luna that makes it. */
  readonly version: string;
  /** Left out: what is secret is left out. */
  readonly passphrase?: string;
}

/** What a backup has, and what it has not. */
export interface BackupOutcome {
  readonly file: string;
  readonly bytes: number;
  readonly withSecrets: boolean;
  /** Links and the like, which are not followed, and the data of external services. */
  readonly leftOut: readonly string[];
}

/** What a database writes while it runs cannot be read as of one moment: it has a backup of its own. */
const isServiceData = /^external_services[\\/][^\\/]+[\\/]data$/;
/** Folders that are made anew from what is kept. */
const remade = new Set(['node_modules', '.venv', '__pycache__', '.git']);
/** Of what Luna generates only this is kept, beside the database and tokens. */
const keptGenerated = new Set(['pinned_tools.json', 'extension_data', 'ext_rollback']);

/**
 * Writes a home into one file: files, configuration and database, each as it is at one moment. Luna may run meanwhile.
 * What is secret (`.env`, keys in the configuration, the database, tokens) is encrypted by the passphrase; without one
 * it is left out, and keys in the configuration become references.
 */
export async function createBackup({ home, file, version, passphrase }: BackupOptions): Promise<BackupOutcome> {
  if (passphrase !== undefined) assertPassphrase(passphrase);
  const paths = homePaths(home);
  if (!(await isThere(paths.config))) throw new LunaError('not_found', `${home} has no configuration to back up.`);
  const target = resolve(file);
  const stage = await stageBeside(target);
  try {
    const leftOut: string[] = [];
    const listed = await listFiles(paths, target, leftOut);
    const files = join(stage, filesName);
    // The folder itself, so that there is something in the archive of an empty home.
    const entries = ['.', ...listed.map((path) => `./${path}`)];
    await create({ cwd: paths.root, file: files, gzip: true, noDirRecurse: true }, entries);
    const config = join(stage, configName);
    await writeFile(config, exportText(await readFile(paths.config, 'utf8')).text, { mode: 0o600 });
    const secrets = passphrase === undefined ? undefined : await sealSecrets(paths, stage, passphrase);
    const manifest: Manifest = {
      format: 1,
      version,
      createdAt: new Date().toISOString(),
      files: { sha256: await digestOf(files) },
      config: { sha256: await digestOf(config) },
      ...(secrets && { secrets }),
    };
    await writeFile(join(stage, manifestName), JSON.stringify(manifest, null, 2));
    const whole = join(stage, 'whole');
    const parts = [manifestName, filesName, configName, ...(secrets ? [secretsName] : [])];
    await create({ cwd: stage, file: whole, mode: 0o600 }, parts);
    await rename(whole, target);
    return { file: target, bytes: (await stat(target)).size, withSecrets: secrets !== undefined, leftOut };
  } catch (thrown) {
    if (thrown instanceof LunaError) throw thrown;
    const isFull = systemCodeOf(thrown) === 'ENOSPC';
    throw new LunaError(isFull ? 'no_space' : 'internal', `Cannot write the backup: ${messageOf(thrown)}`, {
      cause: thrown,
    });
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}

async function sealSecrets(paths: HomePaths, stage: string, passphrase: string): Promise<Manifest['secrets']> {
  const folder = join(stage, 'secret');
  const present: string[] = [];
  const services = await readdir(paths.externalServices).catch(() => []);
  const names = [paths.env, paths.config, paths.upstreamTokens, paths.database]
    .concat(services.map((service) => join(paths.externalServices, service, 'config.json')))
    .map((path) => relative(paths.root, path));
  for (const name of names) {
    const from = join(paths.root, name);
    if (!(await isThere(from))) continue;
    await mkdir(dirname(join(folder, name)), { recursive: true, mode: 0o700 });
    if (from === paths.database) await copyDatabase(from, join(folder, name));
    else await copyFile(from, join(folder, name));
    present.push(name);
  }
  const plain = join(stage, 'secrets.tar.gz');
  await create({ cwd: folder, file: plain, gzip: true, mode: 0o600 }, present);
  const sealed = join(stage, secretsName);
  const seal = await sealFile(plain, sealed, passphrase);
  return { sha256: await digestOf(sealed), seal };
}

/** Plain files and folders of the home that are no secret and are not made anew, by path in it. */
async function listFiles(paths: HomePaths, target: string, leftOut: string[], folder = paths.root): Promise<string[]> {
  const found: string[] = [];
  for (const name of (await readdir(folder)).sort()) {
    const path = join(folder, name);
    const inHome = relative(paths.root, path);
    if (remade.has(name) || path === paths.logs || path === target || name.startsWith(stagePrefix)) continue;
    if (isSecretFile(inHome.split(sep).join('/'))) continue;
    if (isServiceData.test(inHome)) {
      leftOut.push(inHome);
      continue;
    }
    if (folder === paths.generated && !keptGenerated.has(name)) continue;
    const stats = await lstat(path);
    if (stats.isDirectory()) found.push(inHome, ...(await listFiles(paths, target, leftOut, path)));
    else if (stats.isFile()) found.push(inHome);
    else leftOut.push(inHome);
  }
  return found;
}

const stagePrefix = '.luna-backup-';

/** A folder of this user alone, on the disk of the file that is to be: so that it is moved into place in one step. */
async function stageBeside(target: string): Promise<string> {
  try {
    return await mkdtemp(join(dirname(target), stagePrefix));
  } catch (thrown) {
    throw new LunaError('invalid_input', `Cannot write to ${dirname(target)}: ${messageOf(thrown)}`, { cause: thrown });
  }
}

async function isThere(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
