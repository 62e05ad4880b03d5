import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

const program = fileURLToPath(new URL('main.ts', import.meta.url));

/** Runs the command in an empty folder, without a terminal. */
async function createLuna(...args: string[]) {
  const folder = await mkdtemp(join(tmpdir(), 'create-luna-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return { folder, run: (...more: string[]) => runIn(folder, [...args, ...more]) };
}

function runIn(cwd: string, args: readonly string[]): Promise<{ code: unknown; stdout: string; stderr: string }> {
  return new Promise((settle) => {
    execFile(process.execPath, [program, ...args], { cwd }, (error, stdout, stderr) =>
      settle({ code: error?.code ?? 0, stdout, stderr }),
    );
  });
}

test('writes a home and says what to run next', async () => {
  const { folder, run } = await createLuna();
  const { code, stdout } = await run('two words', '--yes');
  expect(code).toBe(0);
  expect(stdout).toContain("cd 'two words'\n  npm install\n  npm start");
  expect(JSON.parse(await readFile(join(folder, 'two words', 'package.json'), 'utf8')).name).toBe('two-words');
});

test('takes "my-luna" and the minimal template where nothing is said', async () => {
  const { folder, run } = await createLuna();
  expect((await run('--yes')).code).toBe(0);
  expect(await readdir(join(folder, 'my-luna', 'extensions'))).toEqual(['hello']);
});

test('prints JSON', async () => {
  const { folder, run } = await createLuna('--json');
  expect(JSON.parse((await run('x', '--template', 'full')).stdout)).toEqual({
    folder: join(folder, 'x'),
    template: 'full',
  });
  const refused = await run('x');
  expect(refused.code).toBe(1);
  expect(JSON.parse(refused.stderr).error.message).toContain('is not empty');
});

test('prints its help and writes nothing', async () => {
  const { folder, run } = await createLuna();
  const { code, stdout } = await run('x', '--help');
  expect(code).toBe(0);
  for (const flag of ['--yes', '--template', '--package', '--json', '--help']) expect(stdout).toContain(flag);
  expect(await readdir(folder)).toEqual([]);
});

test.each([
  [['.', '--yes'], 'is not empty'],
  [[''], 'is empty'],
  [[], 'Name a folder'],
  [['a', 'b'], 'Name one folder'],
  [['a', '--template', 'huge'], 'minimal, full'],
  [['a', '--what'], '--what'],
])('refuses %j in one line, with exit code 1, and touches nothing', async (args, message) => {
  const { folder, run } = await createLuna();
  await writeFile(join(folder, 'precious.txt'), 'kept');
  const { code, stdout, stderr } = await run(...args);
  expect(code).toBe(1);
  expect(stdout).toBe('');
  expect(stderr).toContain(message);
  expect(stderr).not.toContain('    at ');
  expect(await readdir(folder)).toEqual(['precious.txt']);
});
