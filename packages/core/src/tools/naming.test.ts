import { expect, test } from 'vitest';
import { legalName, maxToolNameLength, nameTools, qualifiedName, type ToolOrigin } from './naming.ts';

/** Numbers that look random and are the same in every run (mulberry32). */
function* numbers(seed = 7): Generator<number> {
  for (let state = seed; ; ) {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    yield ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
}

function randomOrigins(count: number): ToolOrigin[] {
  const next = numbers();
  const random = (below: number) => Math.floor((next.next().value ?? 0) * below);
  const letters = ['a', 'b', '_', '__', '-', '.', ' ', '/', 'é', '日', '🌙', '"', 'x'.repeat(40)];
  const word = () => Array.from({ length: 1 + random(4) }, () => letters[random(letters.length)]).join('');
  const seen = new Map<string, ToolOrigin>();
  while (seen.size < count) {
    const origin = { source: `s${random(6)}`, tool: word() };
    seen.set(JSON.stringify(origin), origin);
  }
  return [...seen.values()];
}

test('names of any tools are unique, legal and short', () => {
  const origins = randomOrigins(3_000);
  const names = nameTools(origins);
  expect(new Set(names).size).toBe(origins.length);
  for (const name of names) expect(name).toMatch(new RegExp(`^[A-Za-z0-9._-]{1,${maxToolNameLength}}$`));
});

test('the order in which sources came does not matter', () => {
  const origins = randomOrigins(500);
  const names = new Map(nameTools(origins).map((name, index) => [origins[index], name]));
  const reversed = [...origins].reverse();
  expect(nameTools(reversed)).toEqual(reversed.map((origin) => names.get(origin)));
});

test('a legal name stays; tools of the same name are all qualified', () => {
  const origins = [
    { source: 'a', tool: 'search' },
    { source: 'b', tool: 'search' },
    { source: 'b', tool: 'get.one-2' },
  ];
  expect(nameTools(origins)).toEqual(['a__search', 'b__search', 'get.one-2']);
});

test('a plain name that is spelled like a qualified one does not take its place', () => {
  const names = nameTools([
    { source: 'a', tool: 'b' },
    { source: 'c', tool: 'b' },
    { source: 'd', tool: 'a__b' },
  ]);
  expect(new Set(names).size).toBe(3);
});

test('names that differ only in what is not legal stay apart', () => {
  expect(legalName('a b')).not.toBe(legalName('a/b'));
  expect(legalName(`${'x'.repeat(80)}1`)).not.toBe(legalName(`${'x'.repeat(80)}2`));
  expect(qualifiedName({ source: 'a', tool: 'x'.repeat(100) })).toHaveLength(maxToolNameLength);
});
