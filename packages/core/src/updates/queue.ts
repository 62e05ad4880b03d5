import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { setAside, writeFileDurably } from '../config/index.ts';
import { LunaError, messageOf } from '../errors/index.ts';
import { readIfThere, remove } from './folders.ts';
import { type UpdateOperation, type UpdateQueueView, updateQueueView } from './views.ts';

/** After so many failures a queue is left alone. */
export const maxFailures = 3;

const queueSchema = updateQueueView.omit({ hasConfig: true }).extend({
  master_config: z.record(z.string(), z.unknown()).optional(),
  /** Whether the configuration has been replaced already. */
  isConfigDone: z.boolean().default(false),
});

export type UpdateQueue = z.infer<typeof queueSchema>;
export type QueuedOperation = UpdateQueue['operations'][number];

/** `update_queue.json`: what waits to be done. It is the old one or the new one, whatever happens meanwhile. */
export class QueueFile {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** Throws `config_invalid` for a file that somebody broke. */
  async read(): Promise<UpdateQueue | undefined> {
    try {
      const text = await readIfThere(this.#file);
      return text === undefined ? undefined : queueSchema.parse(JSON.parse(text));
    } catch (thrown) {
      const issue = thrown instanceof z.ZodError ? thrown.issues[0] : undefined;
      const why = issue ? `${issue.path.join('.')} ${issue.message}`.trim() : messageOf(thrown);
      throw new LunaError('config_invalid', `${this.#file} cannot be read: ${why}. Discard the queue, or save anew.`, {
        cause: thrown,
      });
    }
  }

  /** Makes room for another queue where the file is broken; it is kept under another name. */
  async setAsideIfBroken(): Promise<void> {
    await this.read().catch(() => setAside(this.#file));
  }

  async write(queue: UpdateQueue): Promise<void> {
    await writeFileDurably(this.#file, `${JSON.stringify(queue, null, 2)}\n`);
  }

  async remove(): Promise<void> {
    await remove(this.#file);
  }
}

export function newQueue(operations: readonly UpdateOperation[], config?: Record<string, unknown>): UpdateQueue {
  return {
    id: randomUUID(),
    savedAt: Date.now(),
    status: 'waiting',
    failures: 0,
    operations: operations.map((operation) => ({ ...operation, state: 'waiting' as const })),
    isConfigDone: false,
    ...(config && { master_config: config }),
  };
}

/** The queue after an attempt that failed: to be tried again, or parked. */
export function afterFailedAttempt(queue: UpdateQueue, reason: string): UpdateQueue {
  const failures = queue.failures + 1;
  const operations = queue.operations.map((operation) => ({ ...operation }));
  return { ...queue, operations, failures, reason, status: failures >= maxFailures ? 'parked' : 'failed' };
}

/** The queue as a new attempt begins with it. */
export function begun(queue: UpdateQueue): UpdateQueue {
  const { reason: _former, ...rest } = queue;
  const operations = queue.operations.map((operation) => {
    if (operation.state === 'done') return { ...operation };
    const { error: _error, ...again } = operation;
    return { ...again, state: 'waiting' as const };
  });
  return { ...rest, operations, status: 'applying' };
}

/** The copies that a queue is about. */
export function digestsOf(queue: UpdateQueue): string[] {
  return queue.operations.flatMap((one) => ('digest' in one && typeof one.digest === 'string' ? one.digest : []));
}

export function queueView(queue: UpdateQueue): UpdateQueueView {
  const { master_config, isConfigDone: _done, ...view } = queue;
  return { ...view, hasConfig: master_config !== undefined };
}
