import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { type ConfigStore, masterConfigSchema } from '../config/index.ts';
import { LunaError, messageOf, toLunaError } from '../errors/index.ts';
import { installDependencies } from './dependencies.ts';
import type { ExtensionExchange } from './exchange.ts';
import type { FetchedCopies } from './fetch.ts';
import { isThere, remove } from './folders.ts';
import type { QueuedOperation, QueueFile, UpdateQueue } from './queue.ts';
import type { ExtensionSwitch } from './switch.ts';
import { nameOf, type QueueProgress, type UpdateOperation, type UpdatePhase } from './views.ts';

/** Installs an external service; built by whoever knows them. */
export type InstallExternalService = (
  operation: UpdateOperation & { type: 'install_external_service' },
  context: { readonly onLine: (line: string) => void; readonly signal: AbortSignal },
) => Promise<void>;

/** Throws why an external service cannot be installed so; returns which of the settings are secret. */
export type JudgeExternalService = (
  operation: UpdateOperation & { type: 'install_external_service' },
) => Promise<readonly string[]>;

/**
 * Updates Luna itself, where it runs from an installation that can be updated. It may end Luna, which breaks the queue
 * off; the next Luna asks again for the same operation of the same queue, and is told how it went.
 */
export type UpdateCore = (
  operation: UpdateOperation & { type: 'update_core' },
  context: {
    /** The id of the queue. */
    readonly queue: string;
    readonly onLine: (line: string) => void;
    readonly signal: AbortSignal;
  },
) => Promise<void>;

/** Throws why Luna itself cannot be updated so. */
export type JudgeCoreUpdate = (operation: UpdateOperation & { type: 'update_core' }) => Promise<void>;

export interface ApplyContext {
  readonly config: ConfigStore;
  readonly file: QueueFile;
  readonly copies: FetchedCopies;
  readonly switch: ExtensionSwitch;
  readonly exchange: ExtensionExchange;
  readonly installExternalService?: InstallExternalService | undefined;
  readonly updateCore?: UpdateCore | undefined;
  readonly owner?: string | undefined;
  readonly onProgress: (progress: QueueProgress) => void;
  readonly signal: AbortSignal;
}

/**
 * Does what a queue asks for, phase after phase, and keeps in its file how far it is. An operation that fails is taken
 * back and says why; the others go on. An extension is completed beside the old one, dependencies and all, and takes
 * its place at the end of the phase `dependencies`. Throws `cancelled` when it is broken off.
 */
export async function applyQueue(queue: UpdateQueue, context: ApplyContext): Promise<void> {
  const run = new Run(queue, context);
  await run.phase('delete', 'delete', (operation, index) => run.remove(operation, index));
  await run.phase('install', 'install', (operation) => run.stage(operation));
  await run.phase('update', 'update', (operation) => run.stage(operation));
  await run.phase('external_services', 'install_external_service', (operation, index) =>
    run.external(operation, index),
  );
  await run.phase('core', 'update_core', (operation, index) => run.core(operation, index));
  for (const type of ['install', 'update'] as const)
    await run.phase('dependencies', type, (operation, index) => run.complete(operation, index));
  await run.configSync();
}

export const coreRefusal =
  'This Luna cannot update itself: it does not run from an installation that it may change. Update the package @luna/server where it was installed, and start Luna anew.';
export const externalServiceRefusal = 'This Luna cannot install external services.';

type Of<Type extends UpdateOperation['type']> = QueuedOperation & { readonly type: Type };

class Run {
  readonly #queue: UpdateQueue;
  readonly #context: ApplyContext;

  constructor(queue: UpdateQueue, context: ApplyContext) {
    this.#queue = queue;
    this.#context = context;
  }

  /** One after another, all operations of a kind that have neither been done nor failed. */
  async phase<Type extends UpdateOperation['type']>(
    phase: UpdatePhase,
    type: Type,
    work: (operation: Of<Type>, index: number) => Promise<void>,
  ): Promise<void> {
    for (const [index, operation] of this.#queue.operations.entries()) {
      if (operation.type !== type || operation.state !== 'waiting') continue;
      this.#assertWanted();
      this.#tell(phase, index, `${type} ${nameOf(operation)}`.trim());
      try {
        await work(operation as Of<Type>, index);
      } catch (thrown) {
        this.#assertWanted();
        operation.state = 'failed';
        operation.error = messageOf(toLunaError(thrown));
        this.#tell(phase, index, `failed: ${operation.error}`);
        await this.#save();
      }
    }
  }

  async remove(operation: Of<'delete'>, index: number): Promise<void> {
    const { name } = operation;
    if (!(await isThere(this.#context.switch.placeOf(name))))
      throw new LunaError('not_found', `There is no extension "${name}".`);
    await this.#exchange({ kind: 'take', name }, operation, index);
  }

  /** Puts the copy that was shown beside, as it is. */
  async stage(operation: Of<'install'> | Of<'update'>): Promise<void> {
    const name = nameOf(operation);
    const isInstalled = await isThere(this.#context.switch.placeOf(name));
    if (operation.type === 'install' && isInstalled)
      throw new LunaError('conflict', `There is an extension "${name}" already. Update it, or give another name.`);
    if (operation.type === 'update' && !isInstalled)
      throw new LunaError('not_found', `There is no extension "${name}" to update. Install it.`);
    await this.#context.copies.copyInto(operation.digest, this.#context.switch.stagedOf(name));
  }

  /** Completes what has been staged, and puts it into its place. */
  async complete(operation: Of<'install'> | Of<'update'>, index: number): Promise<void> {
    const name = nameOf(operation);
    const { switch: places, copies, owner, signal } = this.#context;
    const staged = places.stagedOf(name);
    const onLine = (line: string) => this.#tell('dependencies', index, line);
    try {
      await installDependencies(staged, { onLine, isFetched: true, owner, signal });
      // What an extension keeps in its own folder goes on with it.
      const data = join(places.placeOf(name), 'data');
      if (await isThere(data)) await cp(data, join(staged, 'data'), { recursive: true, verbatimSymlinks: true });
      const { source } = await copies.get(operation.digest);
      this.#assertWanted();
      await this.#exchange({ kind: 'put', name, from: { source, digest: operation.digest } }, operation, index);
    } finally {
      await remove(staged);
    }
  }

  async external(operation: Of<'install_external_service'>, index: number): Promise<void> {
    const { installExternalService, signal } = this.#context;
    if (!installExternalService) throw new LunaError('conflict', externalServiceRefusal);
    await installExternalService(operation, { signal, onLine: (line) => this.#tell('external_services', index, line) });
    await this.#done(operation);
  }

  async core(operation: Of<'update_core'>, index: number): Promise<void> {
    const { updateCore, signal } = this.#context;
    if (!updateCore) throw new LunaError('conflict', coreRefusal);
    const onLine = (line: string) => this.#tell('core', index, line);
    await updateCore(operation, { queue: this.#queue.id, signal, onLine });
    await this.#done(operation);
  }

  /** The configuration that the queue brings, once everything else is done. */
  async configSync(): Promise<void> {
    const { master_config: wanted, isConfigDone, operations } = this.#queue;
    this.#tell('config_sync', undefined, 'the configuration');
    if (!wanted || isConfigDone || operations.some(({ state }) => state === 'failed')) return;
    const parsed = masterConfigSchema.parse(wanted);
    const gone = new Set(operations.filter(({ type }) => type === 'delete').map(nameOf));
    const came = operations.filter(({ type }) => type === 'install' || type === 'update').map(nameOf);
    await this.#context.config.update((draft) => {
      const { extensions } = structuredClone(draft);
      for (const key of Object.keys(draft)) delete draft[key];
      Object.assign(draft, parsed);
      for (const name of came) {
        const { source, digest } = extensions[name] ?? {};
        draft.extensions[name] = { enabled: true, ...extensions[name], ...draft.extensions[name], source, digest };
      }
      for (const name of gone) if (!came.includes(name)) delete draft.extensions[name];
    });
    this.#queue.isConfigDone = true;
    await this.#save();
  }

  async #exchange(
    wanted: Parameters<ExtensionExchange['make']>[0],
    operation: QueuedOperation,
    index: number,
  ): Promise<void> {
    const note = await this.#context.exchange.make({ ...wanted, queue: this.#queue.id, operation: index }, () =>
      this.#done(operation),
    );
    if (note !== undefined) operation.note = note;
  }

  async #done(operation: QueuedOperation): Promise<void> {
    operation.state = 'done';
    try {
      await this.#save();
    } catch (thrown) {
      operation.state = 'waiting';
      throw thrown;
    }
  }

  async #save(): Promise<void> {
    await this.#context.file.write(this.#queue);
  }

  #tell(phase: UpdatePhase, operation: number | undefined, message: string): void {
    const queued = operation === undefined ? undefined : this.#queue.operations[operation];
    const about = queued && operation !== undefined ? { operation, name: nameOf(queued) } : {};
    this.#context.onProgress({ phase, ...about, message });
  }

  #assertWanted(): void {
    if (this.#context.signal.aborted) throw new LunaError('cancelled', 'The queue was broken off.');
  }
}
