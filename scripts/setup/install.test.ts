import { expect, test } from 'vitest';
import { matchesLock } from './install.mjs';

const lock = {
  packages: {
    '': { version: '0.0.0' },
    'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
    'node_modules/only-on-macos': { version: '1.0.0', integrity: 'sha512-m', optional: true },
    'packages/core': { version: '0.1.0' },
  },
};

test('an install without the packages of other systems is complete', () => {
  const { a, core } = { a: lock.packages['node_modules/a'], core: lock.packages['packages/core'] };
  expect(matchesLock(lock, { packages: { 'node_modules/a': a, 'packages/core': core } })).toBe(true);
});

test('a missing, other or altered package makes an install stale', () => {
  const core = lock.packages['packages/core'];
  expect(matchesLock(lock, { packages: { 'packages/core': core } })).toBe(false);
  for (const a of [
    { version: '1.0.1', integrity: 'sha512-a' },
    { version: '1.0.0', integrity: 'sha512-b' },
  ]) {
    expect(matchesLock(lock, { packages: { 'node_modules/a': a, 'packages/core': core } })).toBe(false);
  }
  expect(matchesLock(lock, {})).toBe(false);
});
