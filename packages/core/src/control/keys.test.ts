import { expect, test } from 'vitest';
import { hashOfKey, keyOpens, keysEqual, makeKey } from './keys.ts';

test('a key opens what keeps it, as it is or as a hash, and nothing else does', () => {
  const key = makeKey('luna-hub-');
  for (const hub of [{ api_key: key }, { api_key_hash: hashOfKey(key) }]) {
    expect(keyOpens(hub, key)).toBe(true);
    for (const wrong of ['', `${key}x`, key.slice(0, -1), hashOfKey(key), makeKey('luna-hub-')])
      expect(keyOpens(hub, wrong), wrong).toBe(false);
  }
  expect(keyOpens({}, '')).toBe(false);
  expect(keyOpens({}, key)).toBe(false);
});

test('keys are compared by their bytes', () => {
  expect(keysEqual('ä', 'ä')).toBe(true);
  expect(keysEqual('ä', 'aa')).toBe(false);
  expect(keysEqual('', 'a')).toBe(false);
});
