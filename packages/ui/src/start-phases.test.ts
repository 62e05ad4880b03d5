import type { StartPhase } from '@luna/core/control';
import { expect, test } from 'vitest';
import { hasStarted, reachedText, startDuration, startPhasesShown } from './start-phases.ts';

const phase = (name: StartPhase['name'], state: StartPhase['state'], startedAt = 0, durationMs = 0): StartPhase => ({
  name,
  state,
  startedAt,
  durationMs,
});

test('a start is over when its last phase has ended, well or not', () => {
  expect(hasStarted([])).toBe(false);
  expect(hasStarted([phase('summary', 'started')])).toBe(false);
  expect(hasStarted([phase('extensions', 'started'), phase('summary', 'done')])).toBe(true);
  expect(hasStarted([phase('summary', 'failed')])).toBe(true);
});

test('of phases that go on at a time, the earliest is told', () => {
  const phases = [phase('config', 'done'), phase('extensions', 'started'), phase('health_monitor', 'started')];
  expect(reachedText(phases)).toBe('Extensions, servers and plugins (1 of 9 phases are over).');
  expect(reachedText([phase('config', 'done')])).toBe('1 of 9 phases are over.');
});

test('a start lasts from the first beginning to the last end', () => {
  expect(startDuration([])).toBe(0);
  expect(startDuration([phase('config', 'done', 100, 20), phase('extensions', 'done', 110, 500)])).toBe(510);
});

test('a phase that is done, with something in it not well, looks otherwise', () => {
  const phases = [
    phase('config', 'done'),
    { ...phase('extensions', 'done'), troubled: true },
    phase('summary', 'failed'),
  ];
  expect(startPhasesShown(phases).map(({ look }) => look)).toEqual(['done', 'troubled', 'failed']);
});

test('a phase that is not known here keeps its name', () => {
  const [shown] = startPhasesShown([{ ...phase('config', 'done'), name: 'tea' as StartPhase['name'] }]);
  expect(shown?.label).toBe('tea');
});
