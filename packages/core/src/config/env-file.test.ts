import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { EnvFile } from './env-file.ts';
import { resolveReferences } from './references.ts';

async function envFile(text?: string): Promise<EnvFile> {
  const folder = await mkdtemp(join(tmpdir(), 'luna-env-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, '.env');
  if (text !== undefined) await writeFile(file, text);
  return new EnvFile(file);
}

test.each([
  'plain',
  '',
  'with spaces',
  'a#b # c',
  '"quoted"',
  "it's",
  'both \' and "',
  'back\\slash\\n',
  '$HOME ${HOME}',
  ' spaces around ',
  'ünï 日本 🌙',
  'a=b=c',
  '`tick` and "double"',
])('the value %j comes back as it was', async (value) => {
  const env = await envFile('# kept\nBEFORE=1\n');
  await env.set({ KEY: value, AFTER: 'x' });
  expect(await env.read()).toEqual({ BEFORE: '1', KEY: value, AFTER: 'x' });
});

test('comments and order stay, a key that stands twice is set once, a removed key is gone', async () => {
  const env = await envFile('# one\nA=1\n\nexport B=2 # two\nA=3\nC=4');
  await env.set({ A: 'new', B: undefined, D: '5' });
  expect(await readFile(env.file, 'utf8')).toBe('# one\nA=new\n\nC=4\nD=5\n');
  expect((await stat(env.file)).mode & 0o777).toBe(0o600);
});

test('nothing can be smuggled in', async () => {
  const env = await envFile('A=1\n');
  await expect(env.set({ A: 'x\nEVIL=1' })).rejects.toMatchObject({ code: 'invalid_input' });
  await expect(env.set({ 'A\nEVIL': 'x' })).rejects.toMatchObject({ code: 'invalid_input' });
  await expect(env.set({ A: `'"\`` })).rejects.toMatchObject({ code: 'invalid_input' });
  expect(await readFile(env.file, 'utf8')).toBe('A=1\n');
});

test('changes at the same time are all kept', async () => {
  const env = await envFile();
  await Promise.all(Array.from({ length: 20 }, (_, index) => env.set({ [`KEY_${index}`]: String(index) })));
  expect(Object.keys(await env.read())).toHaveLength(20);
});

test('references are replaced, and a missing one is named', () => {
  expect(resolveReferences('Bearer ${TOKEN}-${TOKEN} $TOKEN', { TOKEN: 'x' }, 'It')).toBe('Bearer x-x $TOKEN');
  expect(() => resolveReferences('${MISSING}', {}, 'The server "a"')).toThrow(
    'The server "a" needs the environment key MISSING',
  );
});
