import type { CurrentQueueView, UpdateOperation, UpdateQueueView } from '@luna/core/updates';
import { type QueryClient, useQuery } from '@tanstack/vue-query';
import { computed } from 'vue';
import { ask } from './client.ts';
import { keys } from './queries.ts';

const root = '/api/supervisor/queue';

/** An operation as the queue shows it. */
export type QueuedOperation = UpdateQueueView['operations'][number];

/** The queue by which extensions come, change and go. */
export const queueApi = {
  current: () => ask<CurrentQueueView>('GET', `${root}/current`),
  /** Makes these the whole queue. Nothing is done yet. */
  save: (operations: readonly UpdateOperation[]) => ask<UpdateQueueView>('POST', `${root}/save`, { operations }),
  apply: () => ask<UpdateQueueView>('POST', `${root}/apply`),
  discard: () => ask<void>('DELETE', `${root}/current`),
};

/** Puts an operation behind those that wait. Throws what keeps it from being added. */
export async function enqueue(operation: UpdateOperation): Promise<UpdateQueueView> {
  const { queue } = await queueApi.current();
  const obstacle = obstacleOf(queue);
  if (obstacle !== undefined) throw new Error(obstacle);
  return queueApi.save([...(queue?.operations ?? []).map(plainOf), operation]);
}

/** Why nothing can be added to a queue now. Nothing that waits there is lost by adding. */
export function obstacleOf(queue: UpdateQueueView | null | undefined): string | undefined {
  if (!queue) return undefined;
  if (queue.status === 'applying') return 'The queue is being applied. Wait until that is done.';
  if (queue.status !== 'waiting') return 'The queue has operations that failed. Try them again or discard them first.';
  return queue.hasConfig ? 'The queue brings a new configuration. Apply or discard it first.' : undefined;
}

/** The operation without what became of it. */
export function plainOf({ state: _state, error: _error, note: _note, ...operation }: QueuedOperation): UpdateOperation {
  return operation;
}

/** What an operation does, in a few words. */
export function operationText(operation: UpdateOperation): string {
  if (operation.type === 'update_core') return 'Update Luna';
  const verb = { install: 'Install', update: 'Update', delete: 'Remove', install_external_service: 'Install service' };
  return `${verb[operation.type]} ${operation.name ?? ''}`.trim();
}

export const useQueue = () => useQuery({ queryKey: keys.queue, queryFn: queueApi.current });

/** How many operations of the queue have not been done. */
export function usePendingCount() {
  const { data } = useQueue();
  return computed(() => data.value?.queue?.operations.filter(({ state }) => state !== 'done').length ?? 0);
}

/** Whether the queue is about to change the version of Luna, by what the pages know of it. */
export function isUpdatingLuna(queries: QueryClient): boolean {
  const { queue } = queries.getQueryData<CurrentQueueView>(keys.queue) ?? {};
  return (
    queue?.status === 'applying' &&
    queue.operations.some(({ type, state }) => type === 'update_core' && state === 'waiting')
  );
}
