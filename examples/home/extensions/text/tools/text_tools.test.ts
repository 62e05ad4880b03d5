import { applyPatch } from 'diff';
import { describe, expect, test } from 'vitest';
import { callTool } from '../../../test/call-tool.ts';
import { TOOLS } from './text_tools.ts';

const call = (name: string, args: unknown) => callTool(TOOLS, name, args);

describe('text_diff', () => {
  const before = 'one\ntwo\nthree\nfour\n';
  const after = 'one\n2\nthree\nfour\n';

  test('returns a unified diff', async () => {
    const { text } = await call('text_diff', { before, after, before_name: 'a.txt', after_name: 'b.txt' });
    expect(text).toBe('--- a.txt\n+++ b.txt\n@@ -1,4 +1,4 @@\n one\n-two\n+2\n three\n four\n');
    expect(applyPatch(before, text)).toBe(after);
  });

  test('shows as many unchanged lines as are asked for', async () => {
    expect((await call('text_diff', { before, after, context: 0 })).text).toMatch(/@@ -2,1 \+2,1 @@\n-two\n\+2\n$/);
  });

  test('tells a missing line break at the end', async () => {
    expect((await call('text_diff', { before: 'a\n', after: 'a' })).text).toContain('\\ No newline at end of file');
  });

  test('says that two texts are the same', async () => {
    expect(await call('text_diff', { before, after: before })).toMatchObject({ text: 'The texts are the same.' });
  });

  test.each([[{ before: 'a' }], [{ before, after, context: -1 }], [{ before, after: 'x'.repeat(1_000_001) }]])(
    'refuses arguments that do not fit, case %#',
    async (args) => {
      await expect(call('text_diff', args)).rejects.toThrow(TypeError);
    },
  );
});

describe('text_hash', () => {
  test.each([
    ['md5', '900150983cd24fb0d6963f7d28e17f72'],
    ['sha1', 'a9993e364706816aba3e25717850c26c9cd0d89d'],
    ['sha256', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    [
      'sha512',
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    ],
  ])('%s of "abc"', async (algorithm, digest) => {
    expect((await call('text_hash', { text: 'abc', algorithm })).text).toBe(digest);
    const base64 = Buffer.from(digest, 'hex').toString('base64');
    expect((await call('text_hash', { text: 'abc', algorithm, encoding: 'base64' })).text).toBe(base64);
  });

  test('takes SHA-256 where nothing is said, and any text', async () => {
    expect((await call('text_hash', { text: '' })).text).toMatch(/^e3b0c442/);
    expect((await call('text_hash', { text: 'é' })).text).toMatch(/^4a99557e/);
  });

  test('refuses what it does not know', async () => {
    await expect(call('text_hash', { text: 'abc', algorithm: 'crc32' })).rejects.toThrow(TypeError);
  });
});

describe('text_count', () => {
  test.each([
    ['', { characters: 0, words: 0, sentences: 0, lines: 0, bytes: 0 }],
    ['Two words.', { characters: 10, words: 2, sentences: 1, lines: 1, bytes: 10 }],
    ['One. Two.\r\nThree.\n', { words: 3, sentences: 3, lines: 2 }],
    ['\n\n', { words: 0, sentences: 0, lines: 2 }],
    ['👩‍👩‍👧é', { characters: 2, words: 1, bytes: 20 }],
  ])('counts %j', async (text, counts) => {
    expect((await call('text_count', { text })).structuredContent).toMatchObject(counts);
  });

  test('knows languages that write without spaces', async () => {
    const { structuredContent } = await call('text_count', { text: '今日は良い天気です', locale: 'ja' });
    expect(structuredContent).toMatchObject({ words: expect.toSatisfy((words: number) => words > 1) });
  });

  test('says what is wrong with a language', async () => {
    const { isError, text } = await call('text_count', { text: 'a', locale: 'no such language' });
    expect(isError).toBe(true);
    expect(text).toContain('pt-BR');
  });
});

describe('text_extract', () => {
  const matches = async (args: Record<string, unknown>) => {
    const { structuredContent } = await call('text_extract', args);
    return (structuredContent as { matches: string[] }).matches;
  };

  test.each([
    ['emails', 'Ada <ada@example.org>, b.c+d@sub.exämple.de. no@ @no', ['ada@example.org', 'b.c+d@sub.exämple.de']],
    [
      'urls',
      'See https://a.example/x_(y), (HTTP://B.example/?q=1).',
      ['https://a.example/x_(y)', 'HTTP://B.example/?q=1'],
    ],
    ['numbers', '3-5, -7 (+6e3) .5 B12 8km', ['3', '5', '-7', '+6e3', '.5', '8']],
    ['dates', '2024-02-29, 2026-02-30, 2026-13-01 and 12026-01-01', ['2024-02-29']],
    ['dates', '2026-11-20T10:00:00.5+02:00; 2026-11-20T25:00', ['2026-11-20T10:00:00.5+02:00']],
    ['emails', '', []],
  ])('finds %s in %j', async (kind, text, found) => {
    expect(await matches({ kind, text })).toEqual(found);
  });

  test('finds what a pattern matches', async () => {
    expect(await matches({ kind: 'pattern', pattern: String.raw`(?i)[a-z]+-\d+`, text: 'ab-1, CD-23, -4' })).toEqual([
      'ab-1',
      'CD-23',
    ]);
    expect(await matches({ kind: 'pattern', pattern: 'x*', text: 'axxb' })).toEqual(['xx']);
  });

  test('leaves out repetitions unless they are wanted, and says how many there are beyond the limit', async () => {
    expect(await matches({ kind: 'numbers', text: '1 2 1' })).toEqual(['1', '2']);
    const { structuredContent } = await call('text_extract', {
      kind: 'numbers',
      text: '1 2 1',
      unique: false,
      limit: 2,
    });
    expect(structuredContent).toEqual({ total: 3, matches: ['1', '2'] });
  });

  test.each([
    ['(', /not a regular expression/],
    ['(?=x)', /not a regular expression/],
    [undefined, /needs a "pattern"/],
    ['', /needs a "pattern"/],
  ])('says what is wrong with the pattern %j', async (pattern, message) => {
    const { isError, text } = await call('text_extract', { kind: 'pattern', text: 'x', pattern });
    expect(isError).toBe(true);
    expect(text).toMatch(message);
  });

  test('is not caught in a pattern that backtracks', async () => {
    expect(await matches({ kind: 'pattern', pattern: '(x+x+)+y', text: 'x'.repeat(50_000) })).toEqual([]);
  });

  test('breaks off a search that takes too long, and works on afterwards', async () => {
    const endless = { kind: 'pattern', pattern: 'a.*b|a', text: 'a'.repeat(1_000_000) };
    expect(await call('text_extract', endless)).toMatchObject({ isError: true, text: expect.stringMatching(/longer/) });
    expect(await matches({ ...endless, text: 'aab' })).toEqual(['aab']);
  }, 20_000);

  test.each([
    [{ kind: 'names', text: 'x' }],
    [{ kind: 'urls' }],
    [{ kind: 'pattern', text: 'x', pattern: 'x'.repeat(1_001) }],
  ])('refuses arguments that do not fit, case %#', async (args) => {
    await expect(call('text_extract', args)).rejects.toThrow(TypeError);
  });
});
