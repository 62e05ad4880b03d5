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

test('entries that go over several lines are one entry', async () => {
  const text = `# head\nPEM="-----BEGIN\nA=inside\nb== -----END" # tail\nA=1\nJSON='{\n "B": 2\n}'\nTICKS=\`x\nC=3\n\`\nB=4\n`;
  const env = await envFile(text);
  const before = await env.read();
  expect(before).toEqual({
    PEM: '-----BEGIN\nA=inside\nb== -----END',
    A: '1',
    JSON: '{\n "B": 2\n}',
    TICKS: 'x\nC=3\n',
    B: '4',
  });
  await env.set({ A: 'new', C: 'c' });
  expect(await env.read()).toEqual({ ...before, A: 'new', C: 'c' });
  await env.set({ PEM: 'short', TICKS: undefined });
  expect(await readFile(env.file, 'utf8')).toBe(`# head\nPEM=short\nA=new\nJSON='{\n "B": 2\n}'\nB=4\nC=c\n`);
});

test('line ends of Windows and a file without a last line end do no harm', async () => {
  const env = await envFile('A=1\r\n# two\r\nB=2\r\nC=3');
  await env.set({ B: 'b', D: 'd' });
  expect(await env.read()).toEqual({ A: '1', B: 'b', C: '3', D: 'd' });
  expect(await readFile(env.file, 'utf8')).toContain('# two');
});

test('the mark that editors of Windows put in front is no part of the first key', async () => {
  const env = await envFile('\ufeffA=1\r\nB=2\r\n');
  expect(await env.read()).toEqual({ A: '1', B: '2' });
  await env.set({ A: '3' });
  expect(await env.read()).toEqual({ A: '3', B: '2' });
});

test('a file that cannot take a change without losing another key is left as it was', async () => {
  const text = 'A="never closed\nB=1\n';
  const env = await envFile(text);
  await expect(env.set({ B: 'with "quotes"' })).rejects.toMatchObject({
    code: 'invalid_input',
    message: expect.stringContaining('.env'),
  });
  expect(await readFile(env.file, 'utf8')).toBe(text);
});

test('any change of any file changes that key and no other', async () => {
  const env = await envFile();
  // Numbers that look random and are the same in every run.
  let state = 3;
  const random = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const one = <Value>(values: readonly Value[]): Value => values[random(values.length)] as Value;
  const pieces = ['a', ' ', '#', '=', "'", '"', '\\n', '$', '{', '\t', 'é', '🌙', 'KEY_1=x', 'export ', '%'];
  const word = () => Array.from({ length: random(6) }, () => one(pieces)).join('');
  const entries = [
    () => `KEY_${random(4)}=${random(99)}`,
    () => `export KEY_${random(4)} = plain # why`,
    () => `KEY_${random(4)}="one\nKEY_${random(4)}=inside\nend" # why`,
    () => `  KEY_${random(4)}='single ${random(9)}'`,
    () => `# KEY_${random(4)}=commented`,
    () => `KEY_${random(4)}=`,
    () => '',
  ];
  let refused = 0;
  for (let round = 0; round < 300; round++) {
    await writeFile(env.file, Array.from({ length: random(8) }, () => one(entries)()).join('\n'));
    const before = await env.read();
    const key = `KEY_${random(5)}`;
    const value = random(6) === 0 ? undefined : word();
    const text = await readFile(env.file, 'utf8');
    try {
      await env.set({ [key]: value });
    } catch (thrown) {
      expect(thrown).toMatchObject({ code: 'invalid_input', message: expect.stringContaining('quotes') });
      refused++;
    }
    const expected = { ...before, [key]: value };
    if ((await readFile(env.file, 'utf8')) !== text) expect(await env.read(), text).toEqual(expected);
  }
  expect(refused).toBeLessThan(30);
});

test.each(['', '1A', 'A-B', 'A B', 'Ä', 'A=', '__proto__ '])('%j is refused as a key', async (key) => {
  const env = await envFile();
  await expect(env.set({ [key]: 'x' })).rejects.toMatchObject({ code: 'invalid_input' });
  await expect(readFile(env.file)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('a refused change does not keep the next one from being made', async () => {
  const env = await envFile();
  const [refused, made] = await Promise.allSettled([env.set({ A: 'x\ny' }), env.set({ B: 'b' })]);
  expect(refused.status).toBe('rejected');
  expect(made.status).toBe('fulfilled');
  expect(await env.read()).toEqual({ B: 'b' });
});

test('no file is no keys, and nothing to do is nothing written', async () => {
  const env = await envFile();
  expect(await env.read()).toEqual({});
  await env.set({ A: undefined });
  await expect(readFile(env.file)).rejects.toMatchObject({ code: 'ENOENT' });
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
  expect(resolveReferences('${MISSING:-x y} ${TOKEN:-x} ${MISSING:-}', { TOKEN: 'y' }, 'It')).toBe('x y y ');
  expect(() => resolveReferences('${constructor}', {}, 'It')).toThrow('needs the environment key constructor');
});

test('a value is put in as it is, and what is no reference stays', () => {
  const values = { A: '$& $1 ${B}', B: 'b', EMPTY: '' };
  expect(resolveReferences('${A}|${EMPTY}|${B}', values, 'It')).toBe('$& $1 ${B}||b');
  const others = '${} ${1A} ${A-B} $A {A} ${ A } ${env:A}';
  expect(resolveReferences(others, values, 'It')).toBe(others);
});
