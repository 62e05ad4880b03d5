import { parseEnv } from 'node:util';
import {
  EnvFile,
  homePaths,
  hubKeyName,
  type MasterConfig,
  supervisorTokenName,
  withoutMark,
} from '../config/index.ts';
import { LunaError } from '../errors/index.ts';
import { ExtensionKind, HttpKind, McpKind, PluginKind, type UsedKey } from '../sources/index.ts';
import { ToolRegistry } from '../tools/index.ts';
import { encryptionKeyName } from './keys.ts';
import { Reconciler } from './reconcile.ts';
import type { EnvironmentKeyView, MergedKeysView, RequiredKeyView } from './views.ts';

/** What keys need of the Luna that they belong to. */
export interface EnvironmentKeysOptions {
  readonly env: EnvFile;
  readonly config: () => MasterConfig;
  readonly usedKeys: () => Promise<readonly { source: string; kind: string; keys: readonly UsedKey[] }[]>;
  /** Waits until what uses a changed key has taken it over. */
  readonly settled: () => Promise<void>;
}

/** Keys that Luna makes, and cannot do without. */
const ownNames: ReadonlySet<string> = new Set([supervisorTokenName, encryptionKeyName, 'LUNA_SESSION_SECRET']);
const maxTextLength = 1_048_576;
const maxKeyCount = 500;
/** A value of fewer characters is covered whole. */
const shortestShown = 12;

/** The keys of `.env` for people: shown covered, changed, and who needs which. A change is in force on return. */
export class EnvironmentKeys {
  readonly #options: EnvironmentKeysOptions;

  constructor(options: EnvironmentKeysOptions) {
    this.#options = options;
  }

  async list(): Promise<EnvironmentKeyView[]> {
    const [values, used] = await Promise.all([this.#options.env.read(), this.#options.usedKeys()]);
    return Object.entries(values).map(([name, value]) => {
      const keptBy = this.#keptBy(name);
      return {
        name,
        masked: maskOf(value),
        usedBy: used.filter(({ keys }) => keys.some(({ key }) => key === name)).map(({ source }) => source),
        ...(keptBy && { keptBy }),
      };
    });
  }

  /** What sources cannot do without, with who wants it. */
  async required(): Promise<RequiredKeyView[]> {
    const [values, used] = await Promise.all([this.#options.env.read(), this.#options.usedKeys()]);
    const wanted = new Map<string, { source: string; kind: string }[]>();
    for (const { source, kind, keys } of used) {
      for (const { key, isRequired } of keys)
        if (isRequired) wanted.set(key, [...(wanted.get(key) ?? []), { source, kind }]);
    }
    return [...wanted]
      .map(([name, wantedBy]) => ({ name, missing: !values[name], wantedBy }))
      .sort((a, b) => Number(b.missing) - Number(a.missing) || (a.name < b.name ? -1 : 1));
  }

  /** Throws `invalid_input` for what an .env file cannot hold, `conflict` for a key that Luna keeps itself. */
  async set(name: string, value: string): Promise<void> {
    const reason = this.#whyNotSet(name);
    if (reason !== undefined) throw new LunaError('conflict', `${name} cannot be set: ${reason}.`);
    await this.#change({ [name]: value });
  }

  /** Throws `not_found`, and `conflict` for a key that Luna keeps itself. */
  async delete(name: string): Promise<void> {
    const keptBy = this.#keptBy(name);
    if (keptBy) throw new LunaError('conflict', `${name} cannot be deleted: ${reasons[keptBy]}.`);
    if (!Object.hasOwn(await this.#options.env.read(), name)) {
      throw new LunaError('not_found', `There is no environment key ${name}.`);
    }
    await this.#change({ [name]: undefined });
  }

  /** Merges the text of an .env file: all of its keys are set at once, or none. Keys that Luna keeps are left out. */
  async merge(text: string): Promise<MergedKeysView> {
    if (text.length > maxTextLength) throw new LunaError('too_large', 'The file is longer than 1 MiB.');
    const given = Object.entries(parseEnv(withoutMark(text)));
    if (given.length === 0) {
      throw new LunaError('invalid_input', 'There is no key in the file. Each is a line of the form NAME=value.');
    }
    if (given.length > maxKeyCount) {
      throw new LunaError('too_large', `The file has ${given.length} keys; ${maxKeyCount} are the most.`);
    }
    const values = await this.#options.env.read();
    const outcome: MergedKeysView = { set: [], unchanged: [], skipped: [] };
    const changes: Record<string, string> = {};
    for (const [name, value = ''] of given) {
      const reason = this.#whyNotSet(name);
      if (values[name] === value) outcome.unchanged.push(name);
      else if (reason !== undefined) outcome.skipped.push({ name, reason });
      else {
        outcome.set.push(name);
        changes[name] = value;
      }
    }
    await this.#change(changes);
    return outcome;
  }

  async #change(changes: Readonly<Record<string, string | undefined>>): Promise<void> {
    await this.#options.env.set(changes);
    await this.#options.settled();
  }

  /** A new token takes the place of the former one; what is encrypted could not be read any more with another key. */
  #whyNotSet(name: string): string | undefined {
    if (name === encryptionKeyName) return 'tokens are encrypted with it and could not be read any more';
    return this.#keptBy(name) === 'hub' ? reasons.hub : undefined;
  }

  #keptBy(name: string): 'luna' | 'hub' | undefined {
    if (ownNames.has(name)) return 'luna';
    const hubs = Object.entries(this.#options.config().mcp_servers);
    const isMirrored = hubs.some(([hub, { api_key }]) => api_key !== undefined && hubKeyName(hub) === name);
    return isMirrored ? 'hub' : undefined;
  }
}

/** The keys of a home on which no Luna runs, by what its files ask for. Starts nothing and writes nothing by itself. */
export function keysOfHome(home: string, config: MasterConfig): EnvironmentKeys {
  const paths = homePaths(home);
  const env = new EnvFile(paths.env);
  const nothing = () => undefined;
  const common = { owner: '', secrets: () => env.read(), onLog: nothing };
  const kinds = [
    new ExtensionKind({
      ...common,
      folder: paths.extensions,
      dataFolder: paths.extensionData,
      servicesOf: () => ({}),
    }),
    new HttpKind({ ...common, folder: paths.http, egress: () => ({ allowedHosts: [], allowPrivateNetwork: false }) }),
    new PluginKind({ ...common, folder: paths.plugins, cacheFolder: paths.pluginDescriptions }),
    new McpKind({
      ...common,
      root: paths.root,
      clientInfo: { name: 'luna', version: '' },
      authorizeFor: nothing,
      onSession: nothing,
    }),
  ];
  const reconciler = new Reconciler({ kinds, registry: new ToolRegistry(), onLog: nothing, onChange: nothing });
  return new EnvironmentKeys({
    env,
    config: () => config,
    usedKeys: () => reconciler.usedKeys(config),
    settled: async () => undefined,
  });
}

const reasons = {
  luna: 'Luna makes it and cannot do without it',
  hub: 'it mirrors the key of a hub; "luna hub key NAME --regenerate" gives that another one',
};

function maskOf(value: string): string {
  return value.length < shortestShown ? '••••' : `••••${value.slice(-4)}`;
}
