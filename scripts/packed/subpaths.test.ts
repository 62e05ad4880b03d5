import { expect, test } from 'vitest';
import { importableSubpaths } from './subpaths.mjs';

test('code is importable; patterns, package.json and static files are not', () => {
  const exports = {
    '.': './dist/index.js',
    './tools': { types: './dist/tools/index.d.ts', default: './dist/tools/index.js' },
    './dist/*': './dist/*',
    './config.schema.json': './dist/config.schema.json',
    './package.json': './package.json',
  };
  expect(importableSubpaths({ name: '@luna/x', exports })).toEqual([
    { specifier: '@luna/x', typed: false },
    { specifier: '@luna/x/tools', typed: true },
  ]);
  expect(importableSubpaths({ name: 'create-luna' })).toEqual([]);
});
