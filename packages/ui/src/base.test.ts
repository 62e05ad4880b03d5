import { readFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/** What the browser itself is given: there a path has to go through `atBase`. A RouterLink's `to` does so by itself. */
const fixedAddress =
  /(?:\b(?:fetch|EventSource|WebSocket|URL|location\.(?:assign|replace)|window\.open)\(\s*['"`]\/|\s(?:href|src|action)="\/|\s:(?:href|src|action)="['`]\/|\sexternal\b[^>]*\bto="\/|\bto="\/[^>]*\sexternal\b)/;

test('no page gives the browser an address that is only right at the root of a host', async () => {
  const found: string[] = [];
  for await (const file of glob('**/*.{ts,vue}', { cwd: import.meta.dirname })) {
    if (file.endsWith('.test.ts')) continue;
    const lines = readFileSync(join(import.meta.dirname, file), 'utf8').split('\n');
    found.push(...lines.filter((line) => fixedAddress.test(line)).map((line) => `${file}: ${line.trim()}`));
  }
  expect(found).toEqual([]);
});
