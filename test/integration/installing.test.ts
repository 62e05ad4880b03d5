import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { hasPython } from '../../packages/core/test/fixtures/python.ts';
import { eventually } from './support/eventually.ts';
import { homeOf } from './support/homes.ts';
import { launchLuna, luna, temporaryFolder } from './support/luna-process.ts';
import { hasSystemd } from './support/programs.ts';

const run = promisify(execFile);

/** What stands in for systemd: a socket, and the words that come by it. */
async function notifySocket(): Promise<{ path: string; words: () => string[] }> {
  const path = join(await temporaryFolder(), 'notify');
  const child = spawn('python3', [join(import.meta.dirname, 'support', 'notify-socket.py'), path]);
  onTestFinished(() => void child.kill('SIGKILL'));
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
  });
  await once(child.stdout, 'data');
  // By BARRIER the program only waits until it was heard.
  const isWord = (line: string) => !line.includes('BARRIER=1');
  return { path, words: () => text.split('\n').slice(1, -1).filter(isWord) };
}

describe.skipIf(!hasSystemd() || !hasPython)('under systemd', () => {
  test('luna start tells that it is ready, that it lives, and that it ends', async () => {
    const { path, words } = await notifySocket();
    const running = await launchLuna(await homeOf({}), { env: { NOTIFY_SOCKET: path, WATCHDOG_USEC: '900000' } });
    await eventually(() => expect(words().filter((word) => word.includes('WATCHDOG=1')).length).toBeGreaterThan(1));
    expect(words()[0]).toContain('READY=1');
    expect(words()[0]).toContain(`STATUS=Luna answers at ${running.url}`);
    expect(words().join(' ')).not.toContain('STOPPING');
    expect(await running.stop()).toBe(0);
    await eventually(() => expect(words().at(-1)).toContain('STOPPING=1'));
  });

  test('a systemd that cannot be told is no reason not to run', async () => {
    const running = await launchLuna(await homeOf({}), { env: { NOTIFY_SOCKET: '/nowhere/at/all' } });
    expect((await fetch(`${running.url}/readyz`)).status).toBe(200);
    await eventually(() => expect(running.output().stderr).toContain('systemd cannot be told'));
    expect(await running.stop()).toBe(0);
  });

  test.each([[[]], [['--user']]])('the unit is one that systemd takes (%s)', async (flags) => {
    const folder = await temporaryFolder();
    const home = join(await temporaryFolder(), 'a "home" with 100% $odd \\names');
    await mkdir(home);
    const made = await luna(['install', '--systemd', '--home', home, '--write', '--output', folder, ...flags]);
    expect(made).toMatchObject({ code: 0, stderr: '' });
    const file = join(folder, 'luna.service');
    expect(made.stdout).toContain(`Wrote ${file}`);
    const checked = await run('systemd-analyze', ['verify', ...flags, file]).catch((thrown) => thrown);
    // A machine without the rest of systemd has words about other units.
    const words = `${checked.stdout}${checked.stderr}`.split('\n').filter((line) => line.includes('luna.service'));
    expect(words).toEqual([]);
    const unit = await readFile(file, 'utf8');
    expect(unit).toContain('100%% $$odd \\\\names"');
    expect(unit).toContain('Type=notify');
    expect(unit.includes('multi-user.target')).toBe(flags.length === 0);
  });
});

describe('luna install', () => {
  test('shows what it would write, and writes nothing', async () => {
    const cwd = await temporaryFolder();
    const shown = await luna(['install', '--docker', '--json'], { cwd });
    const { files } = JSON.parse(shown.stdout);
    expect(files.map(({ file }: { file: string }) => file.slice(cwd.length + 1))).toEqual([
      'Dockerfile',
      'compose.yaml',
      '.dockerignore',
    ]);
    await expect(stat(join(cwd, 'Dockerfile'))).rejects.toThrow();
  });

  test('a container is reached from this machine only, may do little, and keeps its home outside', async () => {
    const cwd = await temporaryFolder();
    expect((await luna(['install', '--docker', '--write'], { cwd })).code).toBe(0);
    const compose = parse(await readFile(join(cwd, 'compose.yaml'), 'utf8'));
    expect(compose.services.luna).toMatchObject({
      build: '.',
      ports: ['127.0.0.1:8766:8766'],
      volumes: ['./home:/home/luna'],
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
    });
    const lines = (await readFile(join(cwd, 'Dockerfile'), 'utf8')).replaceAll('\\\n', ' ').split('\n');
    const words = lines.filter((line) => line !== '' && !line.startsWith('#'));
    for (const line of words)
      expect(line).toMatch(/^(?:FROM|RUN|USER|WORKDIR|VOLUME|ENV|EXPOSE|HEALTHCHECK|STOPSIGNAL|ENTRYPOINT|CMD) /);
    const { version } = JSON.parse(
      await readFile(join(import.meta.dirname, '../../packages/server/package.json'), 'utf8'),
    );
    expect(words.join('\n')).toContain(`@luna/server@${version}`);
    // What it asks for its health is what Luna answers, with the words of JSON that the container is started by.
    const check = /HEALTHCHECK .*? CMD (\[.+\])$/m.exec(words.join('\n'))?.[1] ?? '';
    const [program, flag, script] = JSON.parse(check);
    expect([program, flag]).toEqual(['node', '-e']);
    const running = await launchLuna(await homeOf({}));
    await run(process.execPath, ['-e', script.replace('http://127.0.0.1:8766', running.url)]);
    await running.stop();
    await expect(run(process.execPath, ['-e', script.replace('http://127.0.0.1:8766', running.url)])).rejects.toThrow();
    expect(words).toContain('USER node');
  });

  test('does not write over what is there, unless it is told to', async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'Dockerfile'), 'FROM mine\n');
    const refused = await luna(['install', '--docker', '--write'], { cwd });
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('--force') });
    expect(await readFile(join(cwd, 'Dockerfile'), 'utf8')).toBe('FROM mine\n');
    expect((await luna(['install', '--docker', '--write', '--force'], { cwd })).code).toBe(0);
    expect(await readFile(join(cwd, 'Dockerfile'), 'utf8')).toContain('@luna/server');
  });

  test.each([
    [['install']],
    [['install', '--systemd', '--docker']],
    [['install', '--systemd', '--name', '../../etc/cron.d/x']],
    [['install', '--systemd', '--name', 'a b']],
    [['install', '--systemd', '--home', '/tmp/a\nExecStartPre=/bin/true']],
    [['caddyfile', '--mode', 'custom_domain', '--domain', 'a.com { respond "x" }']],
    [['caddyfile', '--mode', 'custom_domain', '--domain', 'a.com\nimport /etc/passwd']],
    [['caddyfile', '--mode', 'custom_domain', '--domain', 'https://a.com']],
    [['caddyfile', '--mode', 'custom_domain']],
    [['caddyfile', '--mode', 'nip_io', '--domain', 'luna.example.com']],
    [['caddyfile', '--mode', 'nip_io', '--domain', '999.1.1.1.nip.io']],
    [['caddyfile', '--mode', 'sideways']],
    [['caddyfile', '--http-port', '99999']],
    [['caddyfile', '--port', '{']],
    [['completion', 'tcsh']],
    [['completion']],
  ])('refuses %j', async (args) => {
    const refused = await luna(args, { cwd: await homeOf({ 'master_config.json': '{}' }) });
    expect(refused.code).toBe(1);
    expect(refused.stdout).toBe('');
    expect(refused.stderr).not.toBe('');
  });
});

describe('luna completion', () => {
  test('lets bash complete commands, options and their values', async () => {
    const script = join(await temporaryFolder(), 'luna.bash');
    await writeFile(script, (await luna(['completion', 'bash'])).stdout);
    const completed = async (...words: string[]) => {
      const steps = `source "$0"; complete -p luna >/dev/null; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _luna; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const { stdout } = await run('bash', ['--norc', '-c', steps, script, ...words]);
      return stdout.trim().split('\n');
    };
    expect(await completed('luna', 'sta')).toEqual(['start', 'status']);
    expect(await completed('luna', 'hub', '')).toEqual(expect.arrayContaining(['create', 'list', 'key']));
    expect(await completed('luna', 'logs', '--l')).toEqual(['--lines']);
    expect(await completed('luna', 'hub', 'create', '--')).toContain('--hide-key');
    expect(await completed('luna', 'caddyfile', '--mode', '')).toEqual(['local', 'ngrok', 'nip_io', 'custom_domain']);
    expect(await completed('luna', 'completion', 'b')).toEqual(['bash']);
    expect(await completed('luna', 'start', '--port', '')).toEqual(['']);
    expect(await completed('luna', 'nothing', '--zzz')).toEqual(['']);
  });

  test('knows every command of the help, and zsh and fish take it where they are', async () => {
    const words: { path: string }[] = JSON.parse((await luna(['completion', 'bash', '--json'])).stdout);
    const paths = new Set(words.map(({ path }) => path));
    const listed = (await luna(['--help'])).stdout.split('\nCommands:\n')[1] ?? '';
    for (const [, name = ''] of listed.matchAll(/^ {2}([a-z]+) /gm)) if (name !== 'help') expect(paths).toContain(name);
    for (const [shell, flag] of [
      ['zsh', '-n'],
      ['fish', '-n'],
    ] as const) {
      const file = join(await temporaryFolder(), shell);
      await writeFile(file, (await luna(['completion', shell])).stdout);
      await run(shell, [flag, file]).catch((thrown) => {
        if (thrown.code !== 'ENOENT') throw thrown;
      });
    }
  });
});
