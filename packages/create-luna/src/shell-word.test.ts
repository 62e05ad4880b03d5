import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { shellWord } from './shell-word.ts';

test.each(['my-luna', '../a/b.c', 'ünï'])('%j needs no quotes', (path) => {
  expect(shellWord(path, 'linux')).toBe(path);
});

test.each(['two words', 'a $HOME "q', "it's", '~x', 'a;b', '*'])('a shell reads %j as it was', (path) => {
  const read = execFileSync('sh', ['-c', `printf %s ${shellWord(path, 'linux')}`], { encoding: 'utf8' });
  expect(read).toBe(path);
});

test('what begins with "-" is no option', () => {
  expect(shellWord('-x', 'linux')).toBe('./-x');
});

test('Windows has quotes of its own', () => {
  expect(shellWord('a b', 'win32')).toBe('"a b"');
  expect(shellWord('..\\ab', 'win32')).toBe('..\\ab');
});
