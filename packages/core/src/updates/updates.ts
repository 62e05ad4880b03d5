import { mkdir } from 'node:fs/promises';
import { type ConfigStore, masterConfigSchema } from '../config/index.ts';
import { LunaError, messageOf, toLunaError } from '../errors/index.ts';
import type { EgressPolicy } from '../sources/egress/index.ts';
import { foldersIn, readManifest } from '../sources/index.ts';
import { additionsOf } from './additions.ts';
import {
  applyQueue,
  coreRefusal,
  externalServiceRefusal,
  type InstallExternalService,
  type JudgeCoreUpdate,
  type JudgeExternalService,
  type UpdateCore,
} from './apply.ts';
import { ExtensionExchange, type LoadedState } from './exchange.ts';
import { entryOf } from './extension-entry.ts';
import { FetchedCopies, type FetchedCopiesOptions } from './fetch.ts';
import { isThere, remove, type UpdateFolders, updateFolders } from './folders.ts';
import { inspectCopy } from './inspect.ts';
import { afterFailedAttempt, maxFailures, newQueue, QueueFile, queueView, type UpdateQueue } from './queue.ts';
import { withoutSecrets, withSecretsOf } from './queued-secrets.ts';
import { ExtensionSwitch } from './switch.ts';
import { takeUpload, tidyUploads, type Upload } from './uploads.ts';
import {
  type AppliedQueueView,
  type CurrentQueueView,
  type InspectionView,
  nameOf,
  type QueueProgress,
  type UpdateOperation,
  type UpdatePlan,
  type UpdateQueueView,
  updatePlan,
} from './views.ts';

export interface UpdatesOptions {
  /** The folder with a folder for each extension. */
  readonly extensions: string;
  /** The folder `.luna` of the home, on the same file system. */
  readonly generated: string;
  readonly config: ConfigStore;
  /** The keys that are set in `.env`. */
  readonly secrets: () => Promise<readonly string[]>;
  /** What may be reached inside the network. */
  readonly egress: () => EgressPolicy;
  /** See `ChildOptions.owner`. */
  readonly owner?: string | undefined;
  /** Does something while nothing is started or stopped. Default: at once. */
  readonly exclusively?: <Result>(work: () => Promise<Result>) => Promise<Result>;
  readonly state?: (name: string) => LoadedState;
  /** Has an extension loaded as its files are now. Left out: nobody runs it. */
  readonly load?: (name: string) => Promise<LoadedState>;
  /** Left out: operations of this kind are refused. */
  readonly installExternalService?: InstallExternalService | undefined;
  /** Asked before an external service is queued. */
  readonly judgeExternalService?: JudgeExternalService | undefined;
  readonly updateCore?: UpdateCore | undefined;
  /** Asked before an update of Luna itself is queued. */
  readonly judgeCoreUpdate?: JudgeCoreUpdate | undefined;
  readonly onChange?: () => void;
  readonly onProgress?: (progress: QueueProgress) => void;
  readonly onLog?: (line: string) => void;
  /** Limits of fetching. */
  readonly fetching?: Pick<FetchedCopiesOptions, 'limits' | 'maxFetchBytes' | 'limitMs'>;
}

/**
 * Extensions that come, change and go: what a source brings is shown first, what was agreed to waits in a queue, and
 * the queue is applied while everything else goes on. {@link recover} comes first, {@link resume} once Luna is ready.
 */
export class Updates {
  readonly #options: UpdatesOptions;
  readonly #folders: UpdateFolders;
  readonly #copies: FetchedCopies;
  readonly #switch: ExtensionSwitch;
  readonly #exchange: ExtensionExchange;
  readonly #file: QueueFile;
  readonly #closing = new AbortController();
  #busy: Promise<void> | undefined;
  /** Whether what keeps it busy has come to its end, and only tidies up. */
  #isEnding = false;
  #last: AppliedQueueView | undefined;

  constructor(options: UpdatesOptions) {
    this.#options = options;
    this.#folders = updateFolders(options.extensions, options.generated);
    this.#file = new QueueFile(this.#folders.queue);
    this.#switch = new ExtensionSwitch(this.#folders);
    this.#copies = new FetchedCopies({
      folders: this.#folders,
      owner: options.owner,
      settings: () => {
        const { git_protocols: protocols, npm_registry: registry } = options.config.config.luna;
        return { protocols, registry, egress: options.egress(), wantsTime: this.#minAgeMs > 0 };
      },
      ...options.fetching,
    });
    const { config, secrets, state, load, exclusively = (work) => work() } = options;
    this.#exchange = new ExtensionExchange({
      config,
      switch: this.#switch,
      exclusively,
      secrets,
      ...(state && { state }),
      ...(load && { load }),
    });
  }

  /** Fetches a source and shows what it brings. Nothing of it is run. */
  async inspect(
    source: string,
    options: { name?: string | undefined; signal?: AbortSignal } = {},
  ): Promise<InspectionView> {
    const { signal } = this.#closing;
    const copy = await this.#copies.fetch(source, options.signal ? AbortSignal.any([signal, options.signal]) : signal);
    await this.#tidy();
    return this.#inspect(copy.digest, options.name);
  }

  /** What the copy that was shown wants beyond what is installed, in words. Throws `not_found`. */
  async additions(name: string, digest: string): Promise<string[]> {
    const { folder } = await this.#copies.get(digest);
    return additionsOf(folder, this.#switch.placeOf(name));
  }

  /** Keeps an uploaded zip file, for {@link inspect}. */
  upload(content: AsyncIterable<Buffer>, fileName: string): Promise<Upload> {
    return takeUpload(this.#folders.uploads, content, fileName);
  }

  /** Makes this the queue. Throws `invalid_input`, `not_found` and `conflict` for what could not be done anyway. */
  async save(plan: UpdatePlan): Promise<UpdateQueueView> {
    await this.#ended();
    this.#assertIdle();
    const { operations, master_config: config } = updatePlan.parse(plan);
    if (config) assertConfig(config);
    const queue = newQueue(await this.#judged(operations), config);
    await this.#file.setAsideIfBroken();
    this.#assertIdle();
    await this.#file.write(queue);
    this.#options.onChange?.();
    return queueView(queue);
  }

  async current(): Promise<CurrentQueueView> {
    const queue = await this.#file.read();
    return { queue: queue ? queueView(queue) : null, last: this.#last ?? null };
  }

  /** Lets go of the queue. What has been done stays done. */
  async discard(): Promise<void> {
    await this.#ended();
    this.#assertIdle();
    await this.#file.remove();
    this.#options.onChange?.();
  }

  /**
   * Begins to apply the queue; how it goes is told by progress, and by {@link current}. Throws `not_found` without a
   * queue, `conflict` while one is being applied and for one that is parked.
   */
  async apply(): Promise<UpdateQueueView> {
    await this.#ended();
    this.#assertIdle();
    const queue = await this.#file.read();
    if (!queue) throw new LunaError('not_found', 'There is no queue. Save one first (queue/save).');
    if (queue.status === 'parked')
      throw new LunaError(
        'conflict',
        `The queue is parked after ${maxFailures} failures: ${queue.reason ?? ''} Discard it, or save it anew.`,
      );
    this.#assertIdle();
    const attempt = begun(queue);
    const written = this.#file.write(attempt);
    void this.#occupy(async () => {
      await written;
      this.#options.onChange?.();
      await this.#attempt(attempt);
    });
    await written;
    return queueView(attempt);
  }

  /** Whether something is being applied. */
  get isBusy(): boolean {
    return this.#busy !== undefined;
  }

  /** Waits until nothing is being applied. */
  async idle(): Promise<void> {
    await this.#busy;
  }

  /** Brings the former version of an extension back; the present one becomes the former. */
  async rollback(name: string): Promise<{ note?: string }> {
    await this.#ended();
    this.#assertIdle();
    const former = await this.#switch.former(name);
    if (!former) throw new LunaError('not_found', `There is no former version of "${name}".`);
    let note: string | undefined;
    const { source, digest } = former.entry ?? {};
    const work = async () => {
      note = await this.#exchange.make({ kind: 'back', name, from: { source, digest } }, async () => undefined);
    };
    let failure: unknown;
    await this.#occupy(() =>
      work().catch((thrown: unknown) => {
        failure = thrown;
      }),
    );
    if (failure) throw failure;
    return note === undefined ? {} : { note };
  }

  /** When the former version of an extension left its place, if there is one. Milliseconds since the epoch. */
  async formerOf(name: string): Promise<number | undefined> {
    return (await this.#switch.former(name))?.leftAt;
  }

  /** Which copy was in the place of an extension before the present one. */
  async formerDigest(name: string): Promise<string | undefined> {
    return (await this.#switch.former(name))?.entry?.digest;
  }

  /**
   * Before anything runs: takes back or finishes what an end in the middle left. An attempt that Luna did not survive
   * counts as a failure.
   */
  async recover(): Promise<void> {
    await mkdir(this.#folders.work, { recursive: true });
    const queue = await this.#readable();
    const isDone = ({ queue: id, operation }: { queue?: string | undefined; operation?: number | undefined }) =>
      queue !== undefined && queue.id === id && queue.operations[operation ?? -1]?.state === 'done';
    const found = await this.#exchange.recover(isDone);
    if (found) this.#options.onLog?.(`What was being done to the extension "${found.name}" was brought to an end.`);
    if (queue?.status === 'applying')
      await this.#file.write(afterFailedAttempt(queue, 'Luna ended in the middle of it.'));
    await Promise.all([this.#folders.work, this.#folders.staged].map(remove));
    await tidyUploads(this.#folders.uploads);
  }

  /** Goes on with a queue that waits. */
  async resume(): Promise<void> {
    const queue = await this.#readable();
    if (!queue || queue.status === 'parked' || this.#busy || this.#closing.signal.aborted) return;
    // A queue that cannot be begun keeps nobody from starting.
    await this.apply().catch((thrown: unknown) => this.#options.onLog?.(messageOf(thrown)));
  }

  /** Breaks off what is being done, takes it back, and waits for that. It is done when Luna starts again. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#busy;
  }

  get #minAgeMs(): number {
    return this.#options.config.config.luna.min_release_age * 24 * 3_600_000;
  }

  #occupy(work: () => Promise<void>): Promise<void> {
    const busy = work()
      .catch((thrown: unknown) => this.#options.onLog?.(messageOf(thrown)))
      .finally(() => {
        this.#busy = undefined;
        this.#isEnding = false;
        this.#options.onChange?.();
      });
    this.#busy = busy;
    return busy;
  }

  async #attempt(queue: UpdateQueue): Promise<void> {
    const { config, installExternalService, updateCore, owner } = this.#options;
    const { signal } = this.#closing;
    let reason: string | undefined;
    try {
      await applyQueue(queue, {
        config,
        file: this.#file,
        copies: this.#copies,
        switch: this.#switch,
        exchange: this.#exchange,
        installExternalService,
        updateCore,
        owner,
        signal,
        onProgress: (progress) => this.#options.onProgress?.(progress),
      });
      const failed = queue.operations.filter(({ state }) => state === 'failed');
      if (failed.length > 0) reason = failed.map((one) => `${one.type} ${nameOf(one)}: ${one.error}`).join(' ');
    } catch (thrown) {
      reason = messageOf(toLunaError(thrown));
    }
    if (signal.aborted) return this.#end({ ...queue, status: 'waiting' }, 'broken_off', reason);
    if (reason === undefined) return this.#end(undefined, 'done', undefined, queue);
    const next = afterFailedAttempt(queue, reason);
    await this.#end(next, next.status === 'parked' ? 'parked' : 'failed', reason);
  }

  async #end(
    next: UpdateQueue | undefined,
    outcome: AppliedQueueView['outcome'],
    reason: string | undefined,
    queue = next,
  ): Promise<void> {
    this.#isEnding = true;
    const { id = '', operations = [] } = queue ?? {};
    this.#last = {
      id,
      endedAt: Date.now(),
      outcome,
      operations: operations.map(withoutSecrets),
      ...(reason !== undefined && { reason }),
    };
    if (next) await this.#file.write(next);
    else await this.#file.remove();
    if (!next) await this.#tidy();
  }

  async #judged(operations: readonly UpdateOperation[]): Promise<UpdateOperation[]> {
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
      if (operation.type === 'install_external_service') {
        judged.push(await this.#judgedService(operation));
        continue;
      }
      if (operation.type === 'update_core' && !this.#options.updateCore) throw new LunaError('conflict', coreRefusal);
      if (operation.type === 'update_core') await this.#options.judgeCoreUpdate?.(operation);
      if (operation.type !== 'install' && operation.type !== 'update') {
        judged.push(operation);
        continue;
      }
      const { name, source, refusals, tooNew } = await this.#inspect(operation.digest, operation.name);
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

  /** A service as it is queued: its settings are judged, and what is secret of them is named. */
  async #judgedService(operation: UpdateOperation & { type: 'install_external_service' }): Promise<UpdateOperation> {
    const { installExternalService, judgeExternalService } = this.#options;
    if (!installExternalService) throw new LunaError('conflict', externalServiceRefusal);
    const queue = await this.#file.read().catch(() => undefined);
    const whole = withSecretsOf(operation, queue?.operations);
    return judgeExternalService ? { ...whole, secrets: [...(await judgeExternalService(whole))] } : whole;
  }

  async #inspect(digest: string, name: string | undefined): Promise<InspectionView> {
    const copy = await this.#copies.get(digest);
    return inspectCopy(copy, {
      name,
      minAgeMs: this.#minAgeMs,
      secrets: await this.#options.secrets(),
      installed: async (one) => {
        const folder = this.#switch.placeOf(one);
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

  /** The queue, where it can be read; a broken file is told and left to the person. */
  async #readable(): Promise<UpdateQueue | undefined> {
    return this.#file.read().catch((thrown: unknown) => {
      this.#options.onLog?.(messageOf(thrown));
      return undefined;
    });
  }

  async #tidy(): Promise<void> {
    const queue = await this.#readable();
    const wanted = queue?.operations.flatMap((one) =>
      'digest' in one && typeof one.digest === 'string' ? one.digest : [],
    );
    await this.#copies.tidy(new Set(wanted));
  }

  /** Who has seen the outcome may go on at once. */
  async #ended(): Promise<void> {
    if (this.#isEnding) await this.#busy;
  }

  #assertIdle(): void {
    if (this.#busy) throw new LunaError('conflict', 'The queue is being applied. Wait until that is done.');
    if (this.#closing.signal.aborted) throw new LunaError('conflict', 'Luna is stopping.');
  }
}

/** The queue as a new attempt begins with it. */
function begun(queue: UpdateQueue): UpdateQueue {
  const { reason: _former, ...rest } = queue;
  const operations = queue.operations.map((operation) => {
    if (operation.state === 'done') return { ...operation };
    const { error: _error, ...again } = operation;
    return { ...again, state: 'waiting' as const };
  });
  return { ...rest, operations, status: 'applying' };
}

function assertConfig(config: Record<string, unknown>): void {
  const issue = masterConfigSchema.safeParse(config).error?.issues[0];
  if (issue)
    throw new LunaError('invalid_input', `The configuration does not fit: ${issue.path.join('.')}: ${issue.message}`);
}
