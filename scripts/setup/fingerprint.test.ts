import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fingerprint, isStamped, writeStamp } from './fingerprint.mjs';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'luna-fingerprint-'));
  write('pkg/package.json', '{}');
  write('pkg/src/a.ts', 'export const a = 1;');
  write('other/src/b.ts', 'export const b = 1;');
});

afterEach(() => rmSync(folder, { recursive: true }));

function write(path: string, text: string): void {
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(join(folder, path), text);
}

function changedBy(change: () => void): boolean {
  const before = fingerprint(folder, ['pkg']);
  change();
  return fingerprint(folder, ['pkg']) !== before;
}

describe('a package is stale', () => {
  test('when a source changes, comes, goes or is renamed', () => {
    expect(changedBy(() => write('pkg/src/a.ts', 'export const a = 2;'))).toBe(true);
    expect(changedBy(() => write('pkg/src/deep/c.ts', ''))).toBe(true);
    expect(changedBy(() => rmSync(join(folder, 'pkg/src/deep/c.ts')))).toBe(true);
    expect(
      changedBy(() => {
        rmSync(join(folder, 'pkg/src/a.ts'));
        write('pkg/src/z.ts', 'export const a = 2;');
      }),
    ).toBe(true);
  });

  test('when its package.json changes', () => {
    expect(changedBy(() => write('pkg/package.json', '{"type":"module"}'))).toBe(true);
  });

  test('when a package that it uses changes', () => {
    const before = fingerprint(folder, ['pkg', 'other']);
    write('other/src/b.ts', 'export const b = 2;');
    expect(fingerprint(folder, ['pkg', 'other'])).not.toBe(before);
  });
});

describe('a package is not stale', () => {
  test('when a file was only touched', () => {
    expect(changedBy(() => utimesSync(join(folder, 'pkg/src/a.ts'), 1, 1))).toBe(false);
  });

  test('when only tests, built files or dependencies changed', () => {
    expect(changedBy(() => write('pkg/src/a.test.ts', ''))).toBe(false);
    expect(changedBy(() => write('pkg/test/fixture.ts', ''))).toBe(false);
    expect(changedBy(() => write('pkg/dist/a.js', ''))).toBe(false);
    expect(changedBy(() => write('pkg/node_modules/x/index.js', ''))).toBe(false);
  });

  test('when a path is listed that does not exist', () => {
    expect(fingerprint(folder, ['pkg', 'nowhere'])).toBe(fingerprint(folder, ['pkg']));
  });
});

test('a stamp holds exactly what was written', () => {
  const stamp = join(folder, 'stamps/pkg');
  expect(isStamped(stamp, 'one')).toBe(false);
  writeStamp(stamp, 'one');
  expect(isStamped(stamp, 'one')).toBe(true);
  expect(isStamped(stamp, 'two')).toBe(false);
});
