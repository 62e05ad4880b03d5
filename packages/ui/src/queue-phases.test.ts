import { expect, test } from 'vitest';
import { phasesShown, progressText } from './queue-phases.ts';

test('only phases with something to do are shown, as far as they are', () => {
  const phases = phasesShown([{ type: 'install' }, { type: 'delete' }], { phase: 'install' });
  expect(phases.map(({ phase, state }) => [phase, state])).toEqual([
    ['delete', 'over'],
    ['install', 'now'],
    ['dependencies', 'waiting'],
    ['config_sync', 'waiting'],
  ]);
  expect(phasesShown([{ type: 'update' }], undefined).every(({ state }) => state === 'waiting')).toBe(true);
});

test('a line says once what it is about', () => {
  expect(progressText({ phase: 'delete', name: 'notes', message: 'delete notes' })).toBe('Remove · delete notes');
  expect(progressText({ phase: 'dependencies', name: 'notes', message: 'added 1 package' })).toBe(
    'Packages, and the switch · notes: added 1 package',
  );
});
