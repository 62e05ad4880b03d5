import { once } from 'node:events';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../../test/fixtures/eventually.ts';
import { temporaryFolder } from '../../test/fixtures/temporary-folder.ts';
import { type Child, type ChildOptions, describeExit, startChild } from './child.ts';
import { LineTail } from './line-tail.ts';
import { networkVariables } from './network-environment.ts';
import { identify } from './process-identity.ts';

const isGone = async (pid: number) => (await identify(pid)) === undefined;

async function start(options: ChildOptions): Promise<{ child: Child; out: LineTail }> {
  const child = await startChild(options);
  onTestFinished(() => child.stop(0));
  return { child, out: new LineTail(child.stdout) };
}

const script = async (source: string, more: Partial<ChildOptions> = {}) =>
  start({ command: process.execPath, args: ['-e', source], cwd: await temporaryFolder(), ...more });

/** A program of a package, as npm puts it into `node_modules/.bin`. */
async function program(folder: string, name: string, says: string, mode = 0o755): Promise<void> {
  const bin = join(folder, 'node_modules', '.bin');
  await mkdir(bin, { recursive: true });
  await writeFile(join(bin, name), `#!/bin/sh\necho ${says}\n`);
  await chmod(join(bin, name), mode);
}

test('the environment is the common variables, what was asked for and the mark, to the last key', async () => {
  process.env.LUNA_TEST_CANARY = 'secret';
  onTestFinished(() => void delete process.env.LUNA_TEST_CANARY);
  const { child, out } = await script('console.log(JSON.stringify(Object.keys(process.env)))', {
    env: { ASKED: 'x', PATH: '/only/this' },
    owner: 'o',
  });
  await child.exited;
  await eventually(() => out.lines()).toHaveLength(1);
  const common =
    'PATH HOME USER LOGNAME SHELL TERM TMPDIR TZ LANG LC_ALL LC_CTYPE XDG_CACHE_HOME XDG_CONFIG_HOME XDG_DATA_HOME';
  const expected = [...common.split(' '), ...networkVariables].filter(
    (key) => key === 'PATH' || process.env[key] !== undefined,
  );
  expect(JSON.parse(out.lines()[0] ?? '').sort()).toEqual([...expected, 'ASKED', 'LUNA_OWNER'].sort());
});

test('a program of a package is found from the working folder upward, the nearest one first', async () => {
  const top = await temporaryFolder();
  const cwd = join(top, 'a', 'b');
  await mkdir(cwd, { recursive: true });
  await program(top, 'tool', 'top');
  await program(top, 'other', 'other');
  await program(join(top, 'a'), 'tool', 'nearer');
  await program(cwd, 'tool', 'not a program', 0o644);
  for (const [command, says] of [
    ['tool', 'nearer'],
    ['other', 'other'],
  ]) {
    const { child, out } = await start({ command: command ?? '', cwd });
    expect(await child.exited).toEqual({ code: 0, signal: null });
    await eventually(() => out.lines()).toEqual([says]);
  }
  await expect(startChild({ command: 'tool', cwd: '/' })).rejects.toMatchObject({ code: 'command_not_found' });
});

test('a command with a slash is meant from the working folder', async () => {
  const cwd = await temporaryFolder();
  await program(cwd, 'tool', 'here');
  const { out } = await start({ command: './node_modules/.bin/tool', cwd });
  await eventually(() => out.lines()).toEqual(['here']);
});

test.each([
  ['a program that is nowhere', { command: 'no-such-program' }, 'command_not_found', '"no-such-program"'],
  ['a path to nothing', { command: '/no/such/program' }, 'command_not_found', '"/no/such/program"'],
  ['an empty name', { command: '' }, 'command_not_found', '""'],
  ['a folder', { command: '/usr' }, 'command_not_found', '"/usr"'],
  [
    'a folder that is not there',
    { command: process.execPath, cwd: '/no/such/folder' },
    'process_failed',
    '/no/such/folder',
  ],
])('%s is an error that names it', async (_what, options, code, words) => {
  const starting = startChild({ cwd: await temporaryFolder(), ...options });
  await expect(starting).rejects.toMatchObject({ code, message: expect.stringContaining(words) });
});

test('a script for a program that is missing is an error that says so', async () => {
  const cwd = await temporaryFolder();
  await writeFile(join(cwd, 'script'), '#!/no/such/interpreter\n', { mode: 0o755 });
  await expect(startChild({ command: './script', cwd })).rejects.toMatchObject({
    code: 'process_failed',
    message: expect.stringContaining('"./script"'),
  });
});

test('the process leads a group of its own', async () => {
  const { child } = await script('setInterval(() => {}, 1000)');
  expect(process.kill(-child.pid, 0)).toBe(true);
  await child.stop(1_000);
  expect(await child.exited).toEqual({ code: null, signal: 'SIGTERM' });
  expect(() => process.kill(-child.pid, 0)).toThrow('ESRCH');
  await child.stop();
});

test('one that ends by itself in time is not killed', async () => {
  const { child, out } = await script(
    'process.on("SIGTERM", () => setTimeout(() => process.exit(7), 50)); console.log("up"); setInterval(() => {}, 1000)',
  );
  await eventually(() => out.lines()).toEqual(['up']);
  await child.stop(8_000);
  expect(await child.exited).toEqual({ code: 7, signal: null });
});

test('what is left of a group whose leader has gone is ended as well', async () => {
  const { child, out } = await script(
    `const other = require('child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
     console.log(other.pid); process.exit(0);`,
  );
  await child.exited;
  await eventually(() => out.lines()).toHaveLength(1);
  const grandchild = Number(out.lines()[0]);
  expect(await isGone(grandchild)).toBe(false);
  await child.stop(2_000);
  await eventually(() => isGone(grandchild)).toBe(true);
});

test('standard streams carry both ways', async () => {
  const { child, out } = await script('process.stdin.pipe(process.stdout)');
  child.stdin.end('one\ntwo\n');
  await once(child.stdout, 'end');
  expect(out.lines()).toEqual(['one', 'two']);
  expect(describeExit(await child.exited)).toBe('ended with exit code 0');
});

test('an end is told in words', () => {
  expect(describeExit({ code: 3, signal: null })).toBe('ended with exit code 3');
  expect(describeExit({ code: null, signal: 'SIGKILL' })).toBe('was ended by SIGKILL');
});
