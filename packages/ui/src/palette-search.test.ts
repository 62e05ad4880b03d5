import { expect, test } from 'vitest';
import { type PaletteGroup, searchPalette } from './palette-search.ts';

const item = (label: string, note?: string) => ({ label, icon: '', run: () => undefined, ...(note && { note }) });
const groups: PaletteGroup[] = [
  { label: 'Pages', items: [item('External services'), item('Services'), item('Log')] },
  { label: 'Tools', items: [item('notes_search', 'notes'), item('text_hash')], hidden: true },
];
const labels = (typed: string) =>
  searchPalette(groups, typed).map(({ label, items }) => [label, ...items.map((one) => one.label)]);

test.each<[string, string[][]]>([
  ['', [['Pages', 'External services', 'Services', 'Log']]],
  ['serv', [['Pages', 'Services', 'External services']]],
  ['NOTES sea', [['Tools', 'notes_search']]],
  ['nothing of this', []],
])('“%s” finds %j', (typed, found) => {
  expect(labels(typed)).toEqual(found);
});
