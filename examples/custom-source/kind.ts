import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createLuna } from '@luna/core/control';
import { filesIn, type ReloadableSource, type SourceKind } from '@luna/core/sources';
import { type Tool, textResult } from '@luna/core/tools';

// A kind of source of one's own: each .csv file of a folder is a tool that looks things up. It is found, watched,
// reloaded and listed like the kinds that Luna brings, and touches none of them.

class Table implements ReloadableSource {
  readonly id: string;
  readonly kind = 'table';
  readonly #file: string;
  readonly #listeners = new Set<() => void>();
  #rows = new Map<string, string>();
  #tools: Tool[] = [];

  constructor(file: string) {
    this.#file = file;
    this.id = basename(file, '.csv');
  }

  list = () => this.#tools;
  health = () => ({ status: 'ready' }) as const;
  start = () => this.reload();
  close = async () => undefined;

  onChange(listener: () => void) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async reload() {
    const lines = (await readFile(this.#file, 'utf8')).trim().split('\n');
    this.#rows = new Map(lines.map((line) => line.split(',') as [string, string]));
    const keys = [...this.#rows.keys()];
    const properties = { key: { type: 'string', enum: keys } };
    const inputSchema = { type: 'object', properties, required: ['key'] };
    this.#tools = [{ name: `look_up_${this.id}`, description: `Looks something up in ${this.id}.`, inputSchema }];
    for (const listener of this.#listeners) listener();
  }

  async call(_name: string, args: Readonly<Record<string, unknown>>) {
    return textResult(this.#rows.get(String(args.key)) ?? 'There is no such entry.');
  }
}

class TableKind implements SourceKind {
  readonly name = 'table';
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  async wanted() {
    const files = (await filesIn(this.folder)).filter((file) => file.endsWith('.csv'));
    return files.map((file) => ({
      id: basename(file, '.csv'),
      settings: file,
      entry: file,
      make: () => new Table(join(this.folder, file)),
    }));
  }
}

const home = await mkdtemp(join(tmpdir(), 'luna-example-'));
await writeFile(join(home, 'capitals.csv'), 'France,Paris\nJapan,Tokyo\n');
const luna = await createLuna({ home, version: '1.0.0', kinds: [new TableKind(home)] });
await luna.start();
const ask = (key: string) =>
  luna.pipeline.call({ name: 'look_up_capitals', args: { key }, caller: { kind: 'script' } });
console.log((await ask('Japan')).content[0]?.text);

const changed = new Promise<void>((settle) => luna.registry.onChange(settle));
await writeFile(join(home, 'capitals.csv'), 'France,Paris\nJapan,Tokyo\nPeru,Lima\n');
await changed;
console.log((await ask('Peru')).content[0]?.text);
await luna.close();
await rm(home, { recursive: true });
