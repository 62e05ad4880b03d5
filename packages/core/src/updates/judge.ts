import type { ConfigStore } from '../config/index.ts';
import { LunaError } from '../errors/index.ts';
import { foldersIn, readManifest } from '../sources/index.ts';
import { coreRefusal, externalServiceRefusal, type JudgeCoreUpdate } from './apply.ts';
import { entryOf } from './extension-entry.ts';
import type { FetchedCopies } from './fetch.ts';
import { isThere } from './folders.ts';
import { inspectCopy } from './inspect.ts';
import type { ExtensionSwitch } from './switch.ts';
import type { InspectionView, UpdateOperation } from './views.ts';

export interface UpdateJudgeOptions {
  /** The folder with a folder for each extension. */
  readonly extensions: string;
  readonly config: ConfigStore;
  readonly copies: FetchedCopies;
  readonly switch: ExtensionSwitch;
  /** The keys that are set in `.env`. */
  readonly secrets: () => Promise<readonly string[]>;
  /** Operations that this Luna can do beside those of extensions. */
  readonly canInstallExternalService: boolean;
  readonly canUpdateCore: boolean;
  /** Throws why Luna itself cannot be updated so. */
  readonly judgeCoreUpdate?: JudgeCoreUpdate | undefined;
}

/** Tells what a copy would bring here, and judges what is asked for before it is queued. */
export class UpdateJudge {
  readonly #options: UpdateJudgeOptions;

  constructor(options: UpdateJudgeOptions) {
    this.#options = options;
  }

  /** The age that a release must have, in milliseconds. */
  get minAgeMs(): number {
    return this.#options.config.config.luna.min_release_age * 24 * 3_600_000;
  }

  /** What the copy of this digest brings, beside what is installed. Throws `not_found`. */
  async inspect(digest: string, name: string | undefined): Promise<InspectionView> {
    const copy = await this.#options.copies.get(digest);
    return inspectCopy(copy, {
      name,
      minAgeMs: this.minAgeMs,
      secrets: await this.#options.secrets(),
      installed: async (one) => {
        const folder = this.#options.switch.placeOf(one);
        if (!(await isThere(folder))) return undefined;
        const entry = entryOf(this.#options.config.config, one);
        const version = await readManifest(folder).then(
          (manifest) => manifest.version,
          () => undefined,
        );
        return {
          ...(version !== undefined && { version }),
          ...(entry?.source !== undefined && { source: entry.source }),
          isSame: entry?.digest === digest,
        };
      },
    });
  }

  /**
   * The operations, with the names and the sources that their copies have. Throws `invalid_input`, `not_found`,
   * `forbidden` and `conflict` for what could not be done anyway.
   */
  async judge(operations: readonly UpdateOperation[]): Promise<UpdateOperation[]> {
    const present = new Set(await foldersIn(this.#options.extensions));
    const servers = Object.keys(this.#options.config.config.remote_mcp_servers);
    for (const operation of operations) {
      if (operation.type !== 'delete') continue;
      if (!present.delete(operation.name))
        throw new LunaError('not_found', `There is no extension "${operation.name}".`);
    }
    const taken = new Map([...present, ...servers].map((name) => [name.toLowerCase(), name]));
    const judged: UpdateOperation[] = [];
    const updated = new Set<string>();
    for (const operation of operations) {
      if (operation.type === 'install_external_service' && !this.#options.canInstallExternalService)
        throw new LunaError('conflict', externalServiceRefusal);
      if (operation.type === 'update_core' && !this.#options.canUpdateCore)
        throw new LunaError('conflict', coreRefusal);
      if (operation.type === 'update_core') await this.#options.judgeCoreUpdate?.(operation);
      if (operation.type !== 'install' && operation.type !== 'update') {
        judged.push(operation);
        continue;
      }
      const { name, source, refusals, tooNew } = await this.inspect(operation.digest, operation.name);
      if (operation.source !== undefined && operation.source !== source)
        throw new LunaError('invalid_input', `The digest belongs to ${source}, not to ${operation.source}.`);
      if (tooNew !== undefined && operation.allow_new !== true)
        throw new LunaError('forbidden', `${name} is not taken yet. ${tooNew} Wait, or allow it (--allow-new).`);
      if (refusals.length > 0)
        throw new LunaError('invalid_input', `${name} cannot be installed: ${refusals.join(' ')}`);
      if (operation.type === 'update') {
        if (!present.has(name))
          throw new LunaError('not_found', `There is no extension "${name}" to update. Install it.`);
        if (updated.has(name)) throw new LunaError('conflict', `"${name}" would be updated twice.`);
        updated.add(name);
      } else {
        const other = taken.get(name.toLowerCase());
        if (other !== undefined)
          throw new LunaError('conflict', `There is "${other}" already. Update it, or give another name.`);
        taken.set(name.toLowerCase(), name);
      }
      judged.push({ ...operation, name, source });
    }
    return judged;
  }
}
