import type { AppliedQueueView, CurrentQueueView, UpdateOperation } from '@luna/core/updates';
import { type QueryClient, useQueryClient } from '@tanstack/vue-query';
import { keys } from './queries.ts';
import { enqueue, queueApi } from './queue.ts';

/**
 * Does an operation by way of the queue, with what waits there, and tells what became of it. What it was asked for in
 * may be gone by then, as the row of an extension that is removed.
 */
export function useQueueRun(): (operation: UpdateOperation) => Promise<AppliedQueueView> {
  const queries = useQueryClient();
  return async (operation) => {
    const { id } = await enqueue(operation);
    await queueApi.apply();
    const ended = endOf(queries, id);
    await queries.invalidateQueries({ queryKey: keys.queue });
    return ended;
  };
}

/** Why an operation failed; undefined when it did not. */
export function failureOf(
  applied: AppliedQueueView,
  fits: (operation: UpdateOperation) => boolean,
): string | undefined {
  const operation = applied.operations.find(fits);
  if (operation?.state === 'done' || applied.outcome === 'done') return undefined;
  return operation?.error ?? applied.reason ?? 'It was broken off. Luna goes on with it when it starts again.';
}

/** The header of each page keeps the queue up to date. */
function endOf(queries: QueryClient, id: string): Promise<AppliedQueueView> {
  return new Promise((resolve) => {
    const look = () => {
      const { queue, last } = queries.getQueryData<CurrentQueueView>(keys.queue) ?? {};
      if (last?.id !== id || (queue?.id === id && queue.status === 'applying')) return;
      unwatch();
      resolve(last);
    };
    const unwatch = queries.getQueryCache().subscribe(look);
  });
}
