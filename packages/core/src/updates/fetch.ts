import { randomUUID } from 'node:crypto';
import { cp, mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileDurably } from '../config/index.ts';
import { LunaError } from '../errors/index.ts';
import type { EgressPolicy } from '../sources/egress/index.ts';
import { unpackZip } from './archive.ts';
import { type ArchiveLimits, defaultArchiveLimits } from './archive-writer.ts';
import { digestOfFolder } from './folder-digest.ts';
import { isThere, move, readIfThere, remove, type UpdateFolders } from './folders.ts';
import { fetchGit } from './git.ts';
import { fetchNpm } from './npm-package.ts';
import { type GitProtocol, parseSource, suggestedName } from './source.ts';

export interface FetchSettings {
  readonly protocols: readonly GitProtocol[];
  /** Left out: the registry that npm is set to. */
  readonly registry?: string | undefined;
  /** Whether it matters when a release was made. */
  readonly wantsTime?: boolean | undefined;
  readonly egress: EgressPolicy;
}

export interface FetchedCopiesOptions {
  readonly folders: UpdateFolders;
  /** Asked anew at each fetch. */
  readonly settings: () => FetchSettings;
  /** See `ChildOptions.owner`. */
  readonly owner?: string | undefined;
  readonly limits?: ArchiveLimits;
  /** What may be fetched, packed, in bytes. Default 128 MiB. */
  readonly maxFetchBytes?: number;
  /** For each fetch, in milliseconds. Default 5 minutes. */
  readonly limitMs?: number;
}

const aboutSchema = z.object({
  digest: z.string(),
  source: z.string(),
  /** The commit, or the version of the package. */
  revision: z.string().optional(),
  /** When that was made, in milliseconds since the epoch, as its source says. */
  releasedAt: z.number().optional(),
  suggestedName: z.string(),
  leftOut: z.array(z.string()),
  files: z.array(z.string()),
  bytes: z.number(),
  fetchedAt: z.number(),
});

/** An extension as it was fetched, kept under its digest. */
export type FetchedCopy = z.infer<typeof aboutSchema> & { readonly folder: string };

/** Made by whoever installs, never brought along: they would be run, or lead npm and pip elsewhere. */
const neverBrought = ['node_modules', '.venv', '.npmrc', '.luna'];
/** How many copies are kept that nothing waits for, and how long in milliseconds. */
const keptCopies = 20;
const keptMs = 24 * 3_600_000;

/** Fetches extensions and keeps what came, so that what a person was shown is what is installed. */
export class FetchedCopies {
  readonly #options: FetchedCopiesOptions;

  constructor(options: FetchedCopiesOptions) {
    this.#options = options;
  }

  /** Fetches a source. Throws as the parsing and the fetching of sources do; then nothing of it is left. */
  async fetch(text: string, signal?: AbortSignal): Promise<FetchedCopy> {
    const source = parseSource(text);
    const { folders, owner, limits = defaultArchiveLimits } = this.#options;
    const workFolder = join(folders.work, randomUUID());
    const into = join(workFolder, 'content');
    await mkdir(workFolder, { recursive: true, mode: 0o700 });
    try {
      const { maxFetchBytes = 128 * 1024 * 1024, limitMs = 300_000 } = this.#options;
      const common = { workFolder, into, limits, maxFetchBytes, limitMs, owner, signal, ...this.#options.settings() };
      let revision: string | undefined;
      let releasedAt: number | undefined;
      if (source.kind === 'git') ({ commit: revision, committedAt: releasedAt } = await fetchGit(source, common));
      else if (source.kind === 'npm') ({ version: revision, releasedAt } = await fetchNpm(source, common));
      else await unpackZip(await this.#upload(source.file), into, { limits, signal });
      const content = source.kind === 'upload' ? await withoutWrapper(into) : into;
      return await this.#keep(content, { source: text, revision, releasedAt, suggestedName: suggestedName(source) });
    } finally {
      await remove(workFolder);
    }
  }

  /** The copy with this digest. Throws `not_found` when it is not kept any more. */
  async get(digest: string): Promise<FetchedCopy> {
    const folder = this.#folderOf(digest);
    const about = await readIfThere(join(folder, 'about.json'));
    if (about === undefined)
      throw new LunaError(
        'not_found',
        'What was shown of this extension is not kept any more. Look at its source again (extensions/inspect), then save the queue anew.',
      );
    return { ...aboutSchema.parse(JSON.parse(about)), folder: join(folder, 'content') };
  }

  /** Puts a copy of its own into a folder. Throws `conflict` when it is not what was shown. */
  async copyInto(digest: string, to: string): Promise<FetchedCopy> {
    const copy = await this.get(digest);
    await remove(to);
    await cp(copy.folder, to, { recursive: true, errorOnExist: true, force: false, verbatimSymlinks: true });
    if ((await digestOfFolder(to)).digest === digest) return copy;
    await remove(to);
    throw new LunaError('conflict', `The kept copy of "${copy.source}" was changed. Look at the source again.`);
  }

  /** Lets go of copies that nothing waits for, and of what an end in the middle left. */
  async tidy(wanted: ReadonlySet<string>): Promise<void> {
    const { folders } = this.#options;
    const names = await readdir(folders.fetched).catch(() => []);
    const copies = await Promise.all(
      names.map(async (name) => ({
        folder: join(folders.fetched, name),
        isWanted: wanted.has(`sha256:${name}`),
        at: await stat(join(folders.fetched, name, 'about.json')).then(
          ({ mtimeMs }) => mtimeMs,
          () => 0,
        ),
      })),
    );
    const others = copies.filter(({ isWanted }) => !isWanted).sort((one, other) => other.at - one.at);
    const old = others.filter(({ at }, index) => index >= keptCopies || Date.now() - at > keptMs);
    await Promise.all(old.map(({ folder }) => remove(folder)));
  }

  async #upload(file: string): Promise<string> {
    const path = join(this.#options.folders.uploads, file);
    if (!(await isThere(path)))
      throw new LunaError('not_found', `There is no uploaded file "${file}". Upload it again (extensions/upload).`);
    return path;
  }

  async #keep(
    content: string,
    about: Pick<FetchedCopy, 'source' | 'revision' | 'releasedAt' | 'suggestedName'>,
  ): Promise<FetchedCopy> {
    const names = await readdir(content);
    const leftOut = names.filter((name) => neverBrought.includes(name.toLowerCase()));
    await Promise.all(leftOut.map((name) => remove(join(content, name))));
    if (!names.some((name) => ['config.json', 'tools', 'ui', 'services'].includes(name)))
      throw new LunaError(
        'extension_invalid',
        'This is no extension: it has neither a config.json nor a folder tools/. Where it lies deeper in a repository, name the folder: github:user/repo:path/in/repo.',
      );
    const found = await digestOfFolder(content);
    const folder = this.#folderOf(found.digest);
    const kept = { ...about, ...found, files: [...found.files], leftOut, fetchedAt: Date.now() };
    // Written last: a copy without it does not count.
    if (!(await isThere(join(folder, 'about.json')))) {
      await remove(folder);
      await move(content, join(folder, 'content'));
    }
    await writeFileDurably(join(folder, 'about.json'), JSON.stringify(kept));
    return { ...kept, folder: join(folder, 'content') };
  }

  #folderOf(digest: string): string {
    const [, hex] = /^sha256:([0-9a-f]{64})$/.exec(digest) ?? [];
    if (hex === undefined) throw new LunaError('invalid_input', 'A digest is "sha256:" and 64 hexadecimal digits.');
    return join(this.#options.folders.fetched, hex);
  }
}

/** What the Finder of macOS puts into each zip file that it makes. */
const finderEntries = ['__MACOSX', '.DS_Store'];

/** Archives that were made of a folder hold that folder. */
async function withoutWrapper(content: string): Promise<string> {
  for (const name of finderEntries) await remove(join(content, name));
  const entries = await readdir(content, { withFileTypes: true });
  const [only] = entries;
  if (entries.length !== 1 || !only?.isDirectory() || ['tools', 'ui', 'services'].includes(only.name)) return content;
  return join(content, only.name);
}
