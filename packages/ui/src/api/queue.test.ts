import type { UpdateQueueView } from '@luna/core/updates';
import { QueryClient } from '@tanstack/vue-query';
import { expect, test } from 'vitest';
import { keys } from './queries.ts';
import { isUpdatingLuna, obstacleOf, operationText, plainOf } from './queue.ts';

const queue = (change: Partial<UpdateQueueView>): UpdateQueueView => ({
  id: '1',
  savedAt: 0,
  status: 'waiting',
  failures: 0,
  operations: [],
  hasConfig: false,
  ...change,
});

test.each<[UpdateQueueView | null, string | undefined]>([
  [null, undefined],
  [queue({}), undefined],
  [queue({ status: 'applying' }), 'is being applied'],
  [queue({ status: 'failed' }), 'that failed'],
  [queue({ status: 'parked' }), 'that failed'],
  [queue({ hasConfig: true }), 'new configuration'],
])('a queue is added to only where nothing of it is lost: %j', (given, why) => {
  const obstacle = obstacleOf(given);
  if (why === undefined) expect(obstacle).toBeUndefined();
  else expect(obstacle).toContain(why);
});

test('an operation is saved anew without what became of it', () => {
  const operation = { type: 'delete', name: 'notes', state: 'failed', error: 'e', note: 'n' } as const;
  expect(plainOf(operation)).toEqual({ type: 'delete', name: 'notes' });
  expect([operationText(operation), operationText({ type: 'update_core' })]).toEqual(['Remove notes', 'Update Luna']);
});

test('a queue that is being applied updates Luna while that operation has not been done', () => {
  const updating = (change: Partial<UpdateQueueView>) => {
    const queries = new QueryClient();
    queries.setQueryData(keys.queue, { queue: queue(change), last: null });
    return isUpdatingLuna(queries);
  };
  const operations = [{ type: 'update_core' as const, state: 'waiting' as const }];
  expect(updating({ status: 'applying', operations })).toBe(true);
  expect(updating({ status: 'waiting', operations })).toBe(false);
  expect(updating({ status: 'applying', operations: [{ type: 'update_core', state: 'failed' }] })).toBe(false);
  expect(updating({ status: 'applying' })).toBe(false);
  expect(isUpdatingLuna(new QueryClient())).toBe(false);
});
