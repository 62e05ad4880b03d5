import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { findChromium } from './browser.mjs';

const folder = mkdtempSync(join(tmpdir(), 'luna-chromium-'));
const chrome = join(folder, 'google-chrome');
writeFileSync(chrome, '');
chmodSync(chrome, 0o755);

afterAll(() => rmSync(folder, { recursive: true }));

test('the browser is the one that LUNA_CHROMIUM names, otherwise one on PATH', () => {
  expect(findChromium({ LUNA_CHROMIUM: chrome, PATH: '' })).toBe(chrome);
  expect(findChromium({ PATH: ['/nowhere', folder].join(delimiter) })).toBe(chrome);
});

test('a wrong LUNA_CHROMIUM is not silently replaced by another browser', () => {
  expect(findChromium({ LUNA_CHROMIUM: join(folder, 'none'), PATH: folder })).toBeUndefined();
});

test('without a browser there is none', () => {
  expect(findChromium({ PATH: '/nowhere' })).toBeUndefined();
  expect(findChromium({})).toBeUndefined();
});
