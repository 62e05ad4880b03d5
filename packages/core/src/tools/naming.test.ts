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

/** Origins that meet each other's qualified names: sources and tools made of the same few underscored words. */
function entangledOrigins(): ToolOrigin[] {
  const words = ['a', 'b', 'a__b', 'a_', '_b', 'b__a', 'a__a__b', '__'];
  const sources = words.filter((word) => word !== '__');
  return sources.flatMap((source) => words.map((tool) => ({ source, tool })));
}

test('entangled names are unique too, and each stays the same in any order and company', () => {
  const origins = entangledOrigins();
  const nameOf = (all: ToolOrigin[], origin: ToolOrigin) => nameTools(all)[all.indexOf(origin)];
  const names = nameTools(origins);
  expect(new Set(names).size).toBe(origins.length);
  const reversed = [...origins].reverse();
  const stranger = { source: 'zz', tool: 'unrelated' };
  origins.forEach((origin, index) => {
    expect(nameOf(reversed, origin)).toBe(names[index]);
    expect(nameOf([stranger, ...origins], origin)).toBe(names[index]);
  });
});

test('a qualified name belongs to one tool only', () => {
  const origins = entangledOrigins();
  expect(new Set(origins.map(qualifiedName)).size).toBe(origins.length);
});

test('a tool that is spelled like the way out of a collision does not take the place of another', () => {
  const origins = [
    { source: 'a', tool: 'b' },
    { source: 'c', tool: 'b' },
    { source: 'd', tool: 'a__b' },
  ];
  // What the tools above are called is known to everybody, so a hostile source can offer exactly that.
  const copies = nameTools(origins).map((tool) => ({ source: 'hostile', tool }));
  const names = nameTools([...origins, ...copies]);
  expect(new Set(names).size).toBe(names.length);
});

test('a source that lists a name twice makes two names', () => {
  const twice = { source: 'a', tool: 'b' };
  expect(new Set(nameTools([twice, twice, twice])).size).toBe(3);
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

test('no name is one that is lost as a key of objects', () => {
  const origins = ['__proto__', 'constructor', 'toString'].map((tool) => ({ source: 'a', tool }));
  const settings = Object.fromEntries(nameTools(origins).map((name) => [name, true]));
  const assigned: Record<string, boolean> = {};
  for (const name of Object.keys(settings)) assigned[name] = true;
  expect(Object.keys(assigned)).toHaveLength(3);
  expect(nameTools(origins)[0]).toMatch(/^__proto___[0-9a-f]{10}$/);
});
