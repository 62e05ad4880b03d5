import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileDurably } from '../../config/index.ts';
import { type PluginDescription, pluginDescription } from './description.ts';

/** More files than these are not looked at one by one; such a plugin is asked at each start. */
const maxFiles = 500;

/** Changes with how help is read: then all programs are asked again. */
const reading = 2;

/**
 * What a plugin said of itself the last time, if none of its files has changed since. Programs take their time to
 * start, and a home may have many.
 */
export class DescriptionCache {
  readonly #file: string;
  readonly #folder: string;

  constructor(file: string, folder: string) {
    this.#file = file;
    this.#folder = folder;
  }

  async get(): Promise<PluginDescription | undefined> {
    try {
      const { fingerprint, description } = JSON.parse(await readFile(this.#file, 'utf8'));
      return fingerprint === (await this.#fingerprint()) ? pluginDescription.parse(description) : undefined;
    } catch {
      // Nothing was kept, or nothing of use: the program is asked.
      return undefined;
    }
  }

  async put(description: PluginDescription): Promise<void> {
    const fingerprint = await this.#fingerprint();
    if (fingerprint !== undefined) await writeFileDurably(this.#file, JSON.stringify({ fingerprint, description }));
  }

  async #fingerprint(): Promise<string | undefined> {
    const entries = await readdir(this.#folder, { recursive: true, withFileTypes: true });
    const files = entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((file) => !/[\\/](?:node_modules|\.venv|__pycache__|data)[\\/]/.test(file));
    if (files.length > maxFiles) return undefined;
    const hash = createHash('sha256').update(`${reading}\n`);
    for (const file of files.sort()) {
      const { mtimeMs, size } = await stat(file);
      hash.update(`${file}\0${mtimeMs}\0${size}\n`);
    }
    return hash.digest('base64url');
  }
}
