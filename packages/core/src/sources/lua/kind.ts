import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MasterConfig } from '../../config/index.ts';
import type { LuaState } from '../../store/index.ts';
import { type EgressPolicy, guardedDispatcher, guardedFetch } from '../egress/index.ts';
import { foldersIn } from '../folder-entries.ts';
import type { SourceKind, UsedKey, WantedSource } from '../kind.ts';
import { parseLuaManifest } from './manifest.ts';
import { LuaPool } from './pool.ts';
import { type CallTool, LuaSource } from './source.ts';

export interface LuaKindOptions {
  /** The folder with a folder for each tool. */
  readonly folder: string;
  /** The home, which permitted paths are relative to. */
  readonly home: string;
  readonly state: LuaState;
  readonly secrets: () => Promise<Readonly<Record<string, string>>>;
  /** What scripts may reach inside the network, beside what their tools permit. */
  readonly egress: () => EgressPolicy;
  readonly callTool: CallTool;
  readonly onLog: (source: string, line: string) => void;
}

/** Tools in Lua: each folder is one. They share a pool of workers. */
export class LuaKind implements SourceKind {
  readonly name = 'lua';
  readonly folder: string;
  readonly #options: LuaKindOptions;
  readonly #pool = new LuaPool();
  readonly #dispatcher: ReturnType<typeof guardedDispatcher>;

  constructor(options: LuaKindOptions) {
    this.#options = options;
    this.folder = options.folder;
    this.#dispatcher = guardedDispatcher(options.egress);
  }

  async wanted(_config: MasterConfig): Promise<WantedSource[]> {
    const names = await foldersIn(this.folder);
    return names.map((name) => ({
      id: name,
      settings: 'lua',
      entry: name,
      keys: () => this.#keysOf(name),
      make: () => this.#source(name),
    }));
  }

  async close(): Promise<void> {
    await this.#pool.close();
    await this.#dispatcher.close();
  }

  /** A script may ask whether a key is there, so it is not known to need one. */
  async #keysOf(name: string): Promise<UsedKey[]> {
    const file = join(this.folder, name, 'mcp_tool.json');
    const { permissions } = parseLuaManifest(await readFile(file, 'utf8'), file);
    return permissions.env.map((key) => ({ key, isRequired: false }));
  }

  #source(name: string): LuaSource {
    const { home, state, secrets, callTool, onLog } = this.#options;
    return new LuaSource({
      folder: join(this.folder, name),
      home,
      pool: this.#pool,
      state,
      fetch: guardedFetch(this.#dispatcher),
      secrets,
      callTool,
      onLog: (line) => onLog(name, line),
    });
  }
}
