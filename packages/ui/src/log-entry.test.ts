import { expect, test } from 'vitest';
import { entryFits, logEntryOf } from './log-entry.ts';

test('a line of JSON is taken apart, any other stays as it is', () => {
  expect(logEntryOf('{"level":40,"time":5,"from":"notes","requestId":"r","args":[1],"msg":"slow"}')).toEqual({
    text: 'slow',
    level: 'warn',
    time: 5,
    from: 'notes',
    more: 'requestId=r args=[1]',
  });
  for (const line of ['listening', '{broken', '{"level":30}', 'null', '', '{"msg":5}'])
    expect(logEntryOf(line)).toEqual({ text: line });
});

test.each<[Parameters<typeof entryFits>[0], Parameters<typeof entryFits>[1], string[], boolean]>([
  [{ text: 'a', level: 'info' }, 'warn', [], false],
  [{ text: 'a', level: 'error' }, 'warn', [], true],
  [{ text: 'a' }, 'error', [], true],
  [{ text: 'Slow call', from: 'notes' }, undefined, ['notes', 'slow'], true],
  [{ text: 'Slow call', more: 'id=5' }, undefined, ['id=6'], false],
])('%j at %s with %j: %s', (entry, level, words, expected) => {
  expect(entryFits(entry, level, words)).toBe(expected);
});
