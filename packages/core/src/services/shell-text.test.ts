import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../test/fixtures/temporary-folder.ts';
import { variableOf } from './placeholders.ts';
import { shellText, whyUnsafeArguments, whyUnsafeText } from './shell-text.ts';

const run = promisify(execFile);

const hostile = [
  '$(touch x)',
  '`touch x`',
  '; touch x;',
  '"; touch x; "',
  "'; touch x; '",
  '\n touch x \n',
  '&& touch x',
  '| touch x',
  '> x',
  '${IFS}touch${IFS}x',
  "it's \"quoted\" \\ and 'more'",
  '*',
  '-n',
  'a  b\tc',
];

/** What a command prints, in an empty folder; and what is in that folder then. */
async function outcomeOf(text: string, value: string): Promise<{ output: string; files: string[] }> {
  const cwd = await temporaryFolder();
  const env = { PATH: process.env.PATH, [variableOf('value')]: value };
  const { stdout } = await run('/bin/sh', ['-c', shellText(text)], { cwd, env });
  return { output: stdout, files: await readdir(cwd) };
}

test.each([
  ['alone', `printf '[%s]' {{value}}`, '[', ']'],
  ['with spaces', `printf '[%s]' {{ value }}`, '[', ']'],
  ['in the middle of a word', `printf '[%s]' a={{value}}b`, '[a=', 'b]'],
  ['in double quotes', `printf '[%s]' "a {{value}} b"`, '[a ', ' b]'],
  ['in single quotes', `printf '[%s]' 'a $HOME {{value}} b'`, '[a $HOME ', ' b]'],
  ['in a substitution', `printf '[%s]' "$(printf '%s' {{value}}; printf .)"`, '[', '.]'],
  ['in quotes within a substitution within quotes', `printf '[%s]' "$(printf '%s' "{{value}}"; printf .)"`, '[', '.]'],
  ['after an escaped quote', `printf '[%s]' \\"{{value}}`, '["', ']'],
  ['after a comment with a quote', `: # it's nothing\nprintf '[%s]' {{value}}`, '[', ']'],
  ['in a subshell', `(printf '[%s]' {{value}})`, '[', ']'],
])('a value %s stays one word, whatever it holds, and nothing of it is run', async (_where, text, before, after) => {
  for (const value of hostile)
    expect(await outcomeOf(text, value)).toEqual({ output: `${before}${value}${after}`, files: [] });
});

test('braces of other programs are left alone', () => {
  expect(shellText("docker ps --format '{{.Status}}' {{.}} {{ json . }}")).toBe(
    "docker ps --format '{{.Status}}' {{.}} {{ json . }}",
  );
});

test.each([
  ['sh -c "echo {{value}}"'],
  ['/bin/bash -ec "echo {{value}}"'],
  ["docker exec box sh -c 'echo {{value}}'"],
  ['su - postgres -c "echo {{value}}"'],
  ['eval "echo {{value}}"'],
  ['ssh host echo {{value}}'],
  ['echo `echo {{value}}`'],
  ['cat <<END\n{{value}}\nEND'],
  ['echo $(( {{value}} + 1 ))'],
  ['echo {{value | url}}'],
])('%j is refused: a second reading could run the value', (text) => {
  expect(whyUnsafeText(text)).toBeTypeOf('string');
});

test.each([['sh -c "echo fixed"'], ['./sh.d/install {{value}}'], ['publish -c {{value}}'], ['echo {{value}}']])(
  '%j is let through',
  (text) => {
    expect(whyUnsafeText(text)).toBeUndefined();
  },
);

test.each([
  [['sh', '-c', 'echo {{value}}']],
  [['docker', 'exec', 'box', '/bin/sh', '-ec', 'echo {{value}}']],
  [['node', '-e', 'print({{value}})']],
  [['python3', '-c', 'print({{value}})']],
])('the arguments %j are refused: one of them is a program', (args) => {
  expect(whyUnsafeArguments(args)).toContain('LUNA_CONFIG_VALUE');
});

test('arguments that are no program may hold values', () => {
  expect(whyUnsafeArguments(['docker', 'run', '-e', 'NAME={{value}}', '-c', '{{value}}'])).toBeUndefined();
});
