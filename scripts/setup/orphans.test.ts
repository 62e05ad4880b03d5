import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { removeOrphans } from './orphans.mjs';

const folder = mkdtempSync(join(tmpdir(), 'luna-orphans-'));

afterEach(() => rmSync(folder, { recursive: true }));

test('compiled files go when their source is gone, everything else stays', () => {
  const files = ['src/kept/a.ts', 'dist/kept/a.js', 'dist/kept/a.d.ts', 'dist/kept/a.js.map', 'dist/.tsbuildinfo'];
  const orphans = ['dist/kept/gone.js', 'dist/kept/gone.d.ts', 'dist/left/b.js'];
  for (const file of [...files, ...orphans]) {
    mkdirSync(join(folder, file, '..'), { recursive: true });
    writeFileSync(join(folder, file), '');
  }
  removeOrphans(join(folder, 'src'), join(folder, 'dist'));
  expect(files.filter((file) => !existsSync(join(folder, file)))).toEqual([]);
  expect(orphans.filter((file) => existsSync(join(folder, file)))).toEqual([]);
});
