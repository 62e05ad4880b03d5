import { expect, test } from 'vitest';
import { afterFailure, noFailures, processRestartPolicy, remoteRestartPolicy } from './restart.ts';

function delays(policy: typeof processRestartPolicy, times: number): (number | 'give-up')[] {
  let history = noFailures;
  return Array.from({ length: times }, () => {
    const next = afterFailure(policy, history, 0);
    history = next.history;
    return next.delayMs;
  });
}

test('a process is started again at once, then ever later, and given up after five quick deaths', () => {
  expect(delays(processRestartPolicy, 5)).toEqual([0, 1_000, 2_000, 4_000, 'give-up']);
});

test('a remote server is tried for ever, at most 20 s apart', () => {
  const all = delays(remoteRestartPolicy, 30);
  expect(all[0]).toBe(0);
  expect(all.at(-1)).toBe(20_000);
  expect(all).not.toContain('give-up');
});

test('what was well for long enough begins anew', () => {
  const many = { failures: 4 };
  expect(afterFailure(processRestartPolicy, many, processRestartPolicy.resetAfterMs)).toEqual({
    history: { failures: 1 },
    delayMs: 0,
  });
  expect(afterFailure(processRestartPolicy, many, processRestartPolicy.resetAfterMs - 1).delayMs).toBe('give-up');
});
