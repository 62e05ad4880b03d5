import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { repository, temporaryFolder } from './support/luna-process.ts';

const run = promisify(execFile);

/** The environment of a person's shell: nothing of the npm that runs these tests, nor of its programs. */
const shell = Object.fromEntries(
  Object.entries(process.env)
    .filter(([name]) => !name.startsWith('npm_') && !name.startsWith('LUNA_'))
    .map(([name, value]) => [
      name,
      name === 'PATH'
        ? value
            ?.split(delimiter)
            .filter((folder) => !folder.includes('node_modules'))
            .join(delimiter)
        : value,
    ]),
);

/** Packs the packages as they would be published; returns the archives by package name. */
async function pack(into: string): Promise<Record<string, string>> {
  for (const folder of ['core', 'ui', 'server', 'create-luna']) {
    await run('npm', ['pack', '--silent', '--pack-destination', into], { cwd: join(repository, 'packages', folder) });
  }
  const names = await readdir(into);
  const archive = (start: string) => join(into, names.find((name) => name.startsWith(start)) ?? '');
  return {
    '@luna/core': archive('luna-core'),
    '@luna/ui': archive('luna-ui'),
    '@luna/server': archive('luna-server'),
    'create-luna': archive('create-luna'),
  };
}

test('a home made from the packed packages installs, starts and answers', async () => {
  const packed = await pack(await temporaryFolder());
  const folder = await temporaryFolder();
  const packages = Object.entries(packed).flatMap(([name, archive]) =>
    name === 'create-luna' ? [] : ['--package', `${name}=file:${archive}`],
  );
  const npx = [
    'exec',
    '--yes',
    `--package=file:${packed['create-luna']}`,
    '--',
    'create-luna',
    'home',
    '--yes',
    '--template',
    'full',
    ...packages,
  ];
  const { stdout: steps } = await run('npm', npx, { cwd: folder, env: shell });
  expect(steps).toMatch(/cd home\n {2}npm install\n {2}npm start/);

  const home = join(folder, 'home');
  await run('npm', ['install', '--no-audit', '--no-fund'], { cwd: home, env: shell });
  const luna = spawn('npm', ['start', '--silent', '--', '--port', '0', '--json'], {
    cwd: home,
    env: shell,
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  onTestFinished(async () => {
    if (luna.exitCode !== null || luna.pid === undefined) return;
    process.kill(-luna.pid, 'SIGTERM');
    await once(luna, 'exit');
  });
  const [line] = await once(luna.stdout, 'data');
  const { url } = JSON.parse(String(line));
  expect(await (await fetch(url)).text()).toContain('<title>Luna</title>');

  const command = (...args: string[]) => run(join(home, 'luna.sh'), args, { env: shell });
  expect((await command('call', 'hello', '{"name":"you"}')).stdout).toBe('Hello, you!\n');
  await command('call', 'todo_add', '{"text":"water the plants"}');
  expect((await command('call', 'todo_list')).stdout).toContain('water the plants');
  expect((await command('call', 'list_directory', '{"path":"."}')).stdout).toContain('README.md');
}, 240_000);
