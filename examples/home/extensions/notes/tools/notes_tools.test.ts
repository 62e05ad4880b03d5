import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Answer, callTool } from '../../../test/call-tool.ts';
import { SYSTEM_PROMPT, TOOLS } from './notes_tools.ts';

type Call = (name: string, args: unknown) => Promise<Answer>;

/** The tools over notes of their own. The folder is not there yet, as at the first call of an extension. */
async function emptyNotes(): Promise<{ call: Call; dataDir: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'notes-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const dataDir = join(folder, 'extension_data', 'notes');
  return { dataDir, call: (name, args) => callTool(TOOLS, name, args, dataDir) };
}

async function notesOf(...texts: string[]): Promise<Call> {
  const { call } = await emptyNotes();
  for (const text of texts) await call('notes_add', { text });
  return call;
}

function textsOf({ structuredContent }: Answer): string[] {
  const { notes } = structuredContent as { notes: { text: string }[] };
  return notes.map((note) => note.text);
}

describe('notes_add', () => {
  test('keeps a note with its tags, in a folder that it makes', async () => {
    const { call, dataDir } = await emptyNotes();
    const { structuredContent } = await call('notes_add', { text: '  Water the plants ', tags: ['home', 'home'] });
    expect(structuredContent).toEqual({
      id: 1,
      text: 'Water the plants',
      tags: ['home'],
      created_at: expect.stringMatching(/^\d{4}-\d{2}-\d{2}T.*Z$/),
    });
    expect(await readdir(dataDir)).toContain('notes.sqlite');
  });

  test.each([[{}], [{ text: '   ' }], [{ text: 'x'.repeat(100_001) }], [{ text: 'x', tags: [''] }], [{ text: 5 }]])(
    'refuses arguments that do not fit, case %#',
    async (args) => {
      const { call } = await emptyNotes();
      await expect(call('notes_add', args)).rejects.toThrow(TypeError);
    },
  );
});

describe('notes_search', () => {
  test('finds notes that hold all words, whatever their case and accents', async () => {
    const call = await notesOf('The café opens at nine', 'The library opens at ten');
    expect(textsOf(await call('notes_search', { query: 'OPENS cafe' }))).toEqual(['The café opens at nine']);
    expect(textsOf(await call('notes_search', { query: 'cafe ten' }))).toEqual([]);
  });

  test('matches beginnings only where a word ends in *', async () => {
    const call = await notesOf('The bin is collected on Tuesday');
    expect(textsOf(await call('notes_search', { query: 'collect' }))).toEqual([]);
    expect(textsOf(await call('notes_search', { query: 'collect*' }))).toHaveLength(1);
  });

  test('finds tags too', async () => {
    const { call } = await emptyNotes();
    await call('notes_add', { text: 'Call the plumber', tags: ['urgent "now"'] });
    expect(textsOf(await call('notes_search', { query: 'urgent' }))).toEqual(['Call the plumber']);
  });

  test('puts the best match first and goes on page by page', async () => {
    const call = await notesOf('tea, and a long list of other things to buy', 'tea tea', 'coffee');
    const first = await call('notes_search', { query: 'tea', limit: 1 });
    expect(first.structuredContent).toMatchObject({ total: 2, notes: [{ text: 'tea tea' }] });
    const second = await call('notes_search', { query: 'tea', limit: 1, offset: 1 });
    expect(second.structuredContent).toMatchObject({ total: 2, notes: [{ id: 1 }] });
  });

  test.each(['he said "no" (twice)', 'NOT AND OR', 'a"b', "it's", 'text:no', 'NEAR(', 'no\0w', '-no', '^no'])(
    'takes %j for words, not for a search language',
    async (query) => {
      const call = await notesOf(query.replace('\0', ' '));
      const found = await call('notes_search', { query });
      expect(found.isError).toBeUndefined();
      expect(textsOf(found)).toHaveLength(1);
    },
  );

  test.each(['***', '"', '- ?'])('says that %j holds no word', async (query) => {
    const found = await (await notesOf('one'))('notes_search', { query });
    expect(found).toMatchObject({ isError: true, text: expect.stringContaining('no word') });
  });
});

describe('notes_list', () => {
  test('lists the newest first, page by page', async () => {
    const call = await notesOf('one', 'two', 'three');
    expect((await call('notes_list', {})).structuredContent).toMatchObject({ total: 3 });
    expect(textsOf(await call('notes_list', { limit: 2 }))).toEqual(['three', 'two']);
    expect(textsOf(await call('notes_list', { limit: 2, offset: 2 }))).toEqual(['one']);
    expect(textsOf(await call('notes_list', { offset: 9 }))).toEqual([]);
  });

  test('lists only notes with a tag', async () => {
    const { call } = await emptyNotes();
    await call('notes_add', { text: 'one', tags: ['home', "o'clock"] });
    await call('notes_add', { text: 'two', tags: ['homework'] });
    expect((await call('notes_list', { tag: 'home' })).structuredContent).toMatchObject({ total: 1 });
    expect(textsOf(await call('notes_list', { tag: "o'clock" }))).toEqual(['one']);
    expect(textsOf(await call('notes_list', { tag: 'work' }))).toEqual([]);
  });

  test.each([[{ limit: 0 }], [{ limit: 101 }], [{ limit: 1.5 }], [{ offset: -1 }], [{ tag: ' ' }]])(
    'refuses %j',
    async (args) => {
      const { call } = await emptyNotes();
      await expect(call('notes_list', args)).rejects.toThrow(TypeError);
    },
  );
});

describe('notes_delete', () => {
  test('deletes a note, which then is not found any more', async () => {
    const call = await notesOf('one', 'two');
    expect((await call('notes_delete', { id: 1 })).text).toBe('Note 1 is deleted.');
    expect(textsOf(await call('notes_list', {}))).toEqual(['two']);
    expect(textsOf(await call('notes_search', { query: 'one' }))).toEqual([]);
    expect((await call('notes_delete', { id: 1 })).isError).toBe(true);
  });

  test('says what to do when there is no such note, and never gives its id again', async () => {
    const call = await notesOf('one');
    expect(await call('notes_delete', { id: 99 })).toMatchObject({ isError: true, text: expect.stringMatching(/99/) });
    await call('notes_delete', { id: 1 });
    expect((await call('notes_add', { text: 'two' })).structuredContent).toMatchObject({ id: 2 });
    await expect(call('notes_delete', { id: 'one' })).rejects.toThrow(TypeError);
  });
});

test('clients are told which tools only read and which destroy', () => {
  const hints = Object.fromEntries(TOOLS.map(({ name, annotations }) => [name, annotations]));
  expect(hints).toMatchObject({
    notes_add: { destructiveHint: false },
    notes_search: { readOnlyHint: true },
    notes_list: { readOnlyHint: true },
    notes_delete: { destructiveHint: true },
  });
  expect(SYSTEM_PROMPT).not.toBe('');
});
