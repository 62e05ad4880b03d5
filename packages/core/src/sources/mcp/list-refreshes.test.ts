import { expect, test } from 'vitest';
import { eventually } from '../../../test/fixtures/eventually.ts';
import { ListRefreshes } from './list-refreshes.ts';

test('one listing goes at a time, and one begins after the last time of asking', async () => {
  const begun: PromiseWithResolvers<void>[] = [];
  const refreshes = new ListRefreshes<string>(async () => {
    const listing = Promise.withResolvers<void>();
    begun.push(listing);
    await listing.promise;
  });
  for (let asked = 0; asked < 10; asked++) refreshes.ask('tools');
  expect(begun).toHaveLength(1);
  refreshes.ask('prompts');
  expect(begun).toHaveLength(2);
  begun[0]?.resolve();
  await eventually(() => begun.length).toBe(3);
  begun[1]?.resolve();
  begun[2]?.resolve();
  await new Promise((settle) => setImmediate(settle));
  expect(begun).toHaveLength(3);
});

test('a server that says each time that its list has changed is asked ever less often', async () => {
  const times: number[] = [];
  const refreshes = new ListRefreshes<string>(
    async (kind) => {
      times.push(performance.now());
      if (times.length < 12) refreshes.ask(kind);
    },
    { pauseMs: 10, mostPauseMs: 80 },
  );
  refreshes.ask('tools');
  await eventually(() => times.length).toBe(12);
  const pauses = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  // A timer may be a little early.
  for (const [index, least] of [10, 20, 40, 80, 80, 80].entries())
    expect(pauses[index + 4]).toBeGreaterThanOrEqual(least - 2);
});
