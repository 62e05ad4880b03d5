import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { cp, mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { sourceName, writeFileDurably } from '../config/index.ts';
import { LunaError, messageOf, systemCodeOf } from '../errors/index.ts';
import { definitionFile, parseDefinition, readDefinition } from './definition.ts';
import type { ServiceDefinition } from './definition-shape.ts';

/** Unpacks a zip file into a folder that it makes. Throws for an archive that is not safe to unpack. */
export type Unpack = (file: string, into: string) => Promise<void>;

/** Longer archives are refused, in bytes. */
const longestArchive = 64 * 1_048_576;

/** They stand where names stand in the paths of the API. */
const routeNames = ['available', 'installed', 'upload'];

export interface FoundDefinition {
  readonly name: string;
  /** Whether Luna brings it. */
  readonly shipped: boolean;
  readonly folder: string;
}

/** Where definitions are: one folder each, in the home, and in what Luna brings. Those of the home win. */
export class DefinitionFolders {
  readonly #home: string;
  readonly #shipped: readonly string[];

  /** `home`: `external_services` of the home. */
  constructor(home: string, shipped: readonly string[]) {
    this.#home = home;
    this.#shipped = shipped;
  }

  /** Where the service of this name has its things. Throws `invalid_input` for what cannot be a name. */
  folderOf(name: string): string {
    return join(this.#home, assertName(name));
  }

  /** All definitions that are there, whether they can be read or not, in order of name. */
  async list(): Promise<FoundDefinition[]> {
    const found = new Map<string, FoundDefinition>();
    for (const [parent, shipped] of [[this.#home, false] as const, ...this.#shipped.map((one) => [one, true] as const)])
      for (const name of await foldersWithDefinition(parent))
        if (!found.has(name)) found.set(name, { name, shipped, folder: join(parent, name) });
    return [...found.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  /** Throws `invalid_input`, `not_found`, and `config_invalid` with file, line and column. */
  async find(name: string): Promise<FoundDefinition & { readonly definition: ServiceDefinition }> {
    assertName(name);
    const found = (await this.list()).find((one) => one.name === name);
    if (!found) throw new LunaError('not_found', `There is no service "${name}". "luna service list" lists them.`);
    return { ...found, definition: await readDefinition(found.folder, name) };
  }

  /** A definition that Luna brings becomes files of the home, so that an update of Luna does not change it unasked. */
  async bring({ name, folder, shipped }: FoundDefinition): Promise<void> {
    if (!shipped) return;
    const keepsData = (path: string) => path !== join(folder, 'data') && path !== join(folder, 'config.json');
    await cp(folder, this.folderOf(name), { recursive: true, filter: keepsData, force: true });
  }

  /** The opposite: what was brought goes, data stay. */
  async takeBack(name: string): Promise<void> {
    const folder = this.folderOf(name);
    for (const entry of await entriesOf(folder))
      if (entry !== 'data') await rm(join(folder, entry), { recursive: true, force: true });
    const left = await entriesOf(folder);
    if (left.length === 0) await rm(folder, { recursive: true, force: true });
  }

  /** Adds a definition. Throws `config_invalid`, `too_large`. */
  async add(text: string, mayReplace: (name: string) => void): Promise<ServiceDefinition> {
    const definition = parseDefinition(text, definitionFile);
    mayReplace(definition.name);
    await writeFileDurably(join(this.folderOf(definition.name), definitionFile), text, 0o644);
    return definition;
  }

  /** Adds the definition in an archive, with the files beside it. Throws `config_invalid`, `invalid_input`. */
  async addArchive(archive: Readable, unpack: Unpack, mayReplace: (name: string) => void): Promise<ServiceDefinition> {
    const staged = join(this.#home, `.upload-${randomUUID()}`);
    await mkdir(staged, { recursive: true, mode: 0o700 });
    try {
      const file = join(staged, 'archive.zip');
      const unpacked = join(staged, 'unpacked');
      await pipeline(archive, atMost(longestArchive), createWriteStream(file, { mode: 0o600 }));
      await unpack(file, unpacked);
      const root = await rootOf(unpacked);
      const definition = await readDefinition(root, await nameIn(root));
      mayReplace(definition.name);
      const folder = this.folderOf(definition.name);
      await mkdir(folder, { recursive: true });
      for (const entry of await entriesOf(root)) {
        // These belong to the machine, not to the definition.
        if (entry === 'data' || entry === 'config.json') continue;
        await rm(join(folder, entry), { recursive: true, force: true });
        await rename(join(root, entry), join(folder, entry));
      }
      return definition;
    } finally {
      await rm(staged, { recursive: true, force: true });
    }
  }
}

/** Lets so many bytes through, and throws `too_large` for more. */
function atMost(bytes: number): Transform {
  let length = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, next) {
      length += chunk.length;
      if (length <= bytes) next(null, chunk);
      else next(new LunaError('too_large', `The archive is longer than ${bytes / 1_048_576} MiB.`));
    },
  });
}

/** Throws `invalid_input` for what cannot be the name of a service. */
export function assertName(name: string): string {
  const parsed = sourceName.safeParse(name);
  if (parsed.success && !routeNames.includes(name)) return name;
  const shown = JSON.stringify(name.slice(0, 80));
  throw new LunaError(
    'invalid_input',
    `${shown} cannot be the name of a service: ${parsed.error?.issues[0]?.message ?? 'it means something else'}.`,
  );
}

async function foldersWithDefinition(parent: string): Promise<string[]> {
  const names = (await entriesOf(parent)).filter((name) => sourceName.safeParse(name).success);
  const found = await Promise.all(
    names.map((name) =>
      stat(join(parent, name, definitionFile)).then(
        (entry) => entry.isFile(),
        () => false,
      ),
    ),
  );
  return names.filter((_, index) => found[index]);
}

/** An archive has its files at the top, or in one folder. */
async function rootOf(staged: string): Promise<string> {
  // The Finder of macOS puts these into each zip file that it makes.
  const entries = (await entriesOf(staged)).filter((name) => name !== '__MACOSX' && name !== '.DS_Store');
  if (entries.includes(definitionFile)) return staged;
  const [only] = entries;
  if (only !== undefined && entries.length === 1 && (await entriesOf(join(staged, only))).includes(definitionFile))
    return join(staged, only);
  throw new LunaError('invalid_input', `The archive has no ${definitionFile}. Put it at the top.`);
}

/** The folder of an archive may be called anything. */
async function nameIn(root: string): Promise<string> {
  const file = join(root, definitionFile);
  if ((await stat(file)).size > 1_048_576) throw new LunaError('too_large', `${definitionFile} is longer than 1 MiB.`);
  return parseDefinition(await readFile(file, 'utf8'), definitionFile).name;
}

async function entriesOf(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (thrown) {
    const code = systemCodeOf(thrown);
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw new LunaError('internal', `Cannot read ${folder}: ${messageOf(thrown)}`, { cause: thrown });
  }
}
