import { mkdir } from 'node:fs/promises';
import { parseMasterConfig } from '../config/index.ts';
import { LunaError, messageOf, toLunaError } from '../errors/index.ts';
import { additionsOf } from './additions.ts';
import { applyQueue } from './apply.ts';
import { ExtensionExchange } from './exchange.ts';
import { FetchedCopies } from './fetch.ts';
import { remove, type UpdateFolders, updateFolders } from './folders.ts';
import { UpdateJudge } from './judge.ts';
import { OneAtATime } from './one-at-a-time.ts';
import {
  afterFailedAttempt,
  begun,
  digestsOf,
  maxFailures,
  newQueue,
  QueueFile,
  queueView,
  type UpdateQueue,
} from './queue.ts';
import { ExtensionSwitch } from './switch.ts';
import type { UpdatesOptions } from './updates-options.ts';
import { takeUpload, tidyUploads, type Upload } from './uploads.ts';
import {
  type AppliedQueueView,
  type CurrentQueueView,
  type InspectionView,
  nameOf,
  type UpdatePlan,
  type UpdateQueueView,
  updatePlan,
} from './views.ts';

/**
 * Extensions that come, change and go: what a source brings is shown first, what was agreed to waits in a queue, and
 * the queue is applied while everything else goes on. {@link recover} comes first, {@link resume} once Luna is ready.
 */
export class Updates {
  readonly #options: UpdatesOptions;
  readonly #folders: UpdateFolders;
  readonly #copies: FetchedCopies;
  readonly #switch: ExtensionSwitch;
  readonly #judge: UpdateJudge;
  readonly #exchange: ExtensionExchange;
  readonly #file: QueueFile;
  readonly #work: OneAtATime;
  #last: AppliedQueueView | undefined;

  constructor(options: UpdatesOptions) {
    this.#options = options;
    this.#folders = updateFolders(options.extensions, options.generated);
    this.#work = new OneAtATime(options);
    this.#file = new QueueFile(this.#folders.queue);
    this.#switch = new ExtensionSwitch(this.#folders);
    this.#copies = new FetchedCopies({
      folders: this.#folders,
      owner: options.owner,
      settings: () => {
        const { git_protocols: protocols, npm_registry: registry } = options.config.config.luna;
        return { protocols, registry, egress: options.egress(), wantsTime: this.#judge.minAgeMs > 0 };
      },
      ...options.fetching,
    });
    this.#judge = new UpdateJudge({
      extensions: options.extensions,
      config: options.config,
      copies: this.#copies,
      switch: this.#switch,
      secrets: options.secrets,
      canInstallExternalService: options.installExternalService !== undefined,
      canUpdateCore: options.updateCore !== undefined,
      judgeCoreUpdate: options.judgeCoreUpdate,
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
    const { signal } = this.#work;
    const copy = await this.#copies.fetch(source, options.signal ? AbortSignal.any([signal, options.signal]) : signal);
    await this.#tidy();
    return this.#judge.inspect(copy.digest, options.name);
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
    await this.#work.ended();
    this.#work.assertIdle();
    const { operations, master_config: config } = updatePlan.parse(plan);
    if (config) parseMasterConfig(config);
    const queue = newQueue(await this.#judge.judge(operations), config);
    await this.#file.setAsideIfBroken();
    this.#work.assertIdle();
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
    await this.#work.ended();
    this.#work.assertIdle();
    await this.#file.remove();
    this.#options.onChange?.();
  }

  /**
   * Begins to apply the queue; how it goes is told by progress, and by {@link current}. Throws `not_found` without a
   * queue, `conflict` while one is being applied and for one that is parked.
   */
  async apply(): Promise<UpdateQueueView> {
    await this.#work.ended();
    this.#work.assertIdle();
    const queue = await this.#file.read();
    if (!queue) throw new LunaError('not_found', 'There is no queue. Save one first (queue/save).');
    if (queue.status === 'parked')
      throw new LunaError(
        'conflict',
        `The queue is parked after ${maxFailures} failures: ${queue.reason ?? ''} Discard it, or save it anew.`,
      );
    this.#work.assertIdle();
    const attempt = begun(queue);
    const written = this.#file.write(attempt);
    void this.#work.occupy(async () => {
      await written;
      this.#options.onChange?.();
      await this.#attempt(attempt);
    });
    await written;
    return queueView(attempt);
  }

  /** Whether something is being applied. */
  get isBusy(): boolean {
    return this.#work.isBusy;
  }

  /** Waits until nothing is being applied. */
  idle(): Promise<void> {
    return this.#work.idle();
  }

  /** Brings the former version of an extension back; the present one becomes the former. */
  async rollback(name: string): Promise<{ note?: string }> {
    await this.#work.ended();
    this.#work.assertIdle();
    const former = await this.#switch.former(name);
    if (!former) throw new LunaError('not_found', `There is no former version of "${name}".`);
    let note: string | undefined;
    const { source, digest } = former.entry ?? {};
    const work = async () => {
      note = await this.#exchange.make({ kind: 'back', name, from: { source, digest } }, async () => undefined);
    };
    let failure: unknown;
    await this.#work.occupy(() =>
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
    if (!queue || queue.status === 'parked' || this.#work.isBusy || this.#work.signal.aborted) return;
    // A queue that cannot be begun keeps nobody from starting.
    await this.apply().catch((thrown: unknown) => this.#options.onLog?.(messageOf(thrown)));
  }

  /** Breaks off what is being done, takes it back, and waits for that. It is done when Luna starts again. */
  close(): Promise<void> {
    return this.#work.close();
  }

  async #attempt(queue: UpdateQueue): Promise<void> {
    const { config, installExternalService, updateCore, owner } = this.#options;
    const { signal } = this.#work;
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
    this.#work.ending();
    const { id = '', operations = [] } = queue ?? {};
    this.#last = { id, endedAt: Date.now(), outcome, operations, ...(reason !== undefined && { reason }) };
    if (next) await this.#file.write(next);
    else await this.#file.remove();
    if (!next) await this.#tidy();
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
    await this.#copies.tidy(new Set(queue && digestsOf(queue)));
  }
}
