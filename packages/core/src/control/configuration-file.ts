import { z } from 'zod';
import {
  type ConfigStore,
  differencesOf,
  type EnvFile,
  editJsonText,
  hubKeyName,
  jsonValueOf,
  masterConfigSchema,
  migrateText,
  parseJsonText,
  redactorOf,
} from '../config/index.ts';
import { isSecretSetting, keyForSetting } from './secret-settings.ts';
import type { AppliedConfigView, ExportedConfigView } from './views.ts';

export interface ConfigurationFileOptions {
  readonly config: ConfigStore;
  readonly env: EnvFile;
  /** Waits until what was written is in force. */
  readonly settled: () => Promise<void>;
}

type Path = readonly (string | number)[];

/**
 * master_config.json as a file that holds no secret, so that it can be reviewed, kept and applied again. Comments, order
 * and form stay: where secrets stand in `.env`, what is applied is the same file again, byte for byte.
 */
export class ConfigurationFile {
  readonly #options: ConfigurationFileOptions;

  constructor(options: ConfigurationFileOptions) {
    this.#options = options;
  }

  export(): ExportedConfigView {
    return exportText(this.#options.config.text);
  }

  /**
   * Makes the configuration be what the text says, or with `dryRun` only tells what would differ. Throws
   * `config_invalid` with line and column in `from` when the text does not fit, `stale` for another etag.
   */
  async apply(
    text: string,
    { dryRun = false, from = 'the file', ifMatch }: { dryRun?: boolean; from?: string; ifMatch?: string } = {},
  ): Promise<AppliedConfigView> {
    const { config, env, settled } = this.#options;
    const values = await env.read();
    const wanted = resolveText(text, values, from);
    let former = config.text;
    if (!dryRun) {
      await config.replaceText(
        (present) => {
          former = present;
          return wanted;
        },
        { from, ...(ifMatch !== undefined && { ifMatch }) },
      );
      await settled();
    }
    const cover = redactorOf(Object.values(values));
    const shown = (path: Path, value: unknown) =>
      value === undefined ? undefined : cover(JSON.stringify(coverSecrets(path, value)));
    return {
      applied: !dryRun,
      differences: differencesOf(jsonValueOf(former), jsonValueOf(wanted)).map(({ path, before, value }) => ({
        path: path.join('.'),
        before: shown(path, before),
        after: shown(path, value),
      })),
      textDiffers: former !== wanted,
      missing: missingKeys(text, values),
    };
  }
}

/** A text of master_config.json with references in the place of secrets. */
export function exportText(text: string): ExportedConfigView {
  const document = jsonValueOf(text);
  const notes: string[] = [];
  const exported = mapStrings(document, [], (path, value) => {
    const hub = hubOfKey(path);
    if (hub !== undefined) return `\${${hubKeyName(hub)}}`;
    if (!isSecretSetting(path) || value === '' || value.includes('${')) return value;
    const key = keyForSetting(path);
    notes.push(
      `${path.join('.')} is a secret that stands in the file. It became \${${key}}: set that key where you apply this.`,
    );
    return `\${${key}}`;
  });
  return { text: editJsonText(text, document, exported), notes };
}

/**
 * An exported text with the keys of hubs in their places. A key that is not there goes, so that the hub gets a new one.
 * Throws `config_invalid` with line and column in `from`.
 */
export function resolveText(text: string, values: Readonly<Record<string, string>>, from: string): string {
  const migrated = migrateText(text, from);
  const document = parseJsonText(migrated, z.record(z.string(), z.unknown()), from);
  const resolved = mapStrings(document, [], (path, value) => {
    const [, name] = (hubOfKey(path) !== undefined && /^\$\{([A-Za-z_]\w*)\}$/.exec(value)) || [];
    return name === undefined ? value : values[name];
  });
  const wanted = editJsonText(migrated, document, resolved);
  parseJsonText(wanted, masterConfigSchema, from);
  return wanted;
}

function missingKeys(text: string, values: Readonly<Record<string, string>>): string[] {
  const names = [...text.matchAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g)].map(([, name = '']) => name);
  return [...new Set(names)].filter((name) => !values[name]).sort();
}

/** The hub whose key stands at this path. */
function hubOfKey([section, hub, setting, ...rest]: Path): string | undefined {
  return section === 'mcp_servers' && setting === 'api_key' && rest.length === 0 ? String(hub) : undefined;
}

function coverSecrets(path: Path, value: unknown): unknown {
  return mapStrings(value, path, (at, text) => {
    const isSecret = hubOfKey(at) !== undefined || isSecretSetting(at);
    return isSecret && !text.includes('${') ? '•••' : text;
  });
}

/** The same value with each string replaced; where that is undefined, the key goes. */
function mapStrings(value: unknown, path: Path, map: (path: Path, text: string) => string | undefined): unknown {
  if (typeof value === 'string') return map(path, value);
  if (Array.isArray(value)) return value.map((item, index) => mapStrings(item, [...path, index], map));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, mapStrings(inner, [...path, key], map)] as const);
  return Object.fromEntries(entries.filter(([, inner]) => inner !== undefined));
}
