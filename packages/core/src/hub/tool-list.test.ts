import { expect, test } from 'vitest';
import { testSource, tool } from '../../test/test-source.ts';
import { ToolRegistry } from '../tools/index.ts';
import { ToolList } from './tool-list.ts';

function listOf(count: number, pageSize: number): ToolList {
  const registry = new ToolRegistry();
  registry.add(
    testSource(
      's',
      Array.from({ length: count }, (_, index) => tool(`t${index}`, { odd: [index] })),
    ),
  );
  return new ToolList(registry.tools(), () => true, pageSize);
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

test.each([
  [0, 10, [0]],
  [9, 10, [9]],
  [10, 10, [10]],
  [11, 10, [10, 1]],
  [25, 10, [10, 10, 5]],
  [3, 1, [1, 1, 1]],
])('%i tools in pages of %i are %j', (count, pageSize, sizes) => {
  const list = listOf(count, pageSize);
  const pages = [list.page()];
  for (let cursor = pages[0]?.nextCursor; cursor !== undefined; cursor = pages.at(-1)?.nextCursor)
    pages.push(list.page(cursor));
  expect(pages.map(({ items }) => items.length)).toEqual(sizes);
  expect(pages.flatMap(({ items }) => items).map(({ name }) => name)).toEqual([...list.visible.keys()]);
});

test('a page is made once, and its text says the same as its tools', () => {
  const list = listOf(25, 10);
  const first = list.page();
  expect(list.page()).toBe(first);
  expect(list.page(first.nextCursor)).toBe(list.page(first.nextCursor));
  expect(JSON.parse(`{${first.json}}`)).toEqual({ tools: first.items, nextCursor: first.nextCursor });
  expect(JSON.parse(`{${listOf(0, 10).page().json}}`)).toEqual({ tools: [] });
});

test('pages that begin anywhere are not kept: whoever asks could fill the memory with them', () => {
  const list = listOf(1_000, 500);
  const cursor = encode([7, 't6']);
  expect(list.page(cursor).items[0]?.name).toBe('t7');
  expect(list.page(cursor)).not.toBe(list.page(cursor));
});

test('a cursor whose tool has gone goes on at its place, or at the end', () => {
  const list = listOf(25, 10);
  expect(list.page(encode([10, 'gone'])).items[0]?.name).toBe('t10');
  expect(list.page(encode([1_000, 'gone'])).items).toEqual([]);
});

test.each([
  [''],
  ['x'],
  [7],
  [null],
  [{}],
  [encode(7)],
  [encode(null)],
  [encode([])],
  [encode(['10', 'a'])],
  [encode([-1, 'a'])],
  [encode([1.5, 'a'])],
  [encode([10, 7])],
  ['%00'],
  ['W10'.repeat(10_000)],
])('%j is no cursor', (cursor) => {
  expect(() => listOf(25, 10).page(cursor)).toThrow('This cursor was not made by this hub.');
});

test('lists that look alike have one fingerprint', () => {
  expect(listOf(3, 10).fingerprint).toBe(listOf(3, 1).fingerprint);
  expect(listOf(3, 10).fingerprint).not.toBe(listOf(4, 10).fingerprint);
});

test('an output that is no object is noticed', () => {
  const registry = new ToolRegistry();
  registry.add(testSource('s', [tool('a', { outputSchema: { type: 'object' } }), tool('b')]));
  expect(new ToolList(registry.tools(), () => true, 10).hasNonObjectOutput).toBe(false);
  registry.add(testSource('t', [tool('c', { outputSchema: { type: 'array' } })]));
  expect(new ToolList(registry.tools(), () => true, 10).hasNonObjectOutput).toBe(true);
  expect(new ToolList(registry.tools(), ({ name }) => name !== 'c', 10).hasNonObjectOutput).toBe(false);
});
