import { execFile } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { openTo, runs, service, serviceOf, untilService } from './support/external-services.ts';
import { launchLuna, temporaryFolder } from './support/luna-process.ts';
import { freePort } from './support/ports.ts';
import { hasPostgres, hasRedis } from './support/system-services.ts';

/** The definitions for a machine without containers, with the servers of the system. */

const run = promisify(execFile);
/** Has all that a shell, an address or SQL could stumble over. */
const password = `it's "$(touch hacked)" \\ & #1%; drop`;

describe.skipIf(!hasRedis)('Redis of the system', () => {
  const cli = async (port: number, secret: string, ...args: string[]) =>
    (await run('redis-cli', ['-p', String(port), ...args], { env: { ...process.env, REDISCLI_AUTH: secret } })).stdout;

  test('is installed, used, killed and up again, stopped, and gone', async () => {
    const running = await launchLuna(await temporaryFolder());
    const port = await freePort();
    const installed = await service(running, 'install', 'redis-local', '--set', `port=${port}`);
    expect(installed).toMatchObject({ code: 0, stdout: '"redis-local" runs. It has set REDIS_URL in .env.\n' });
    expect(installed.stderr).toContain('Ready to accept connections');

    const url = new URL((await running.env()).REDIS_URL ?? '');
    expect(url.port).toBe(String(port));
    expect(await cli(port, url.password, 'set', 'kept', 'yes')).toBe('OK\n');
    expect(await cli(port, '', 'get', 'kept')).toContain('NOAUTH');

    const { pid } = await untilService(running, 'redis-local', { status: 'running', enabled: true });
    const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8');
    expect(commandLine).not.toContain(url.password);
    process.kill(pid, 'SIGKILL');
    const again = await untilService(running, 'redis-local', { status: 'running', restarts: 1 });
    expect(again.pid).not.toBe(pid);
    expect(await cli(port, url.password, 'get', 'kept')).toBe('yes\n');

    expect((await service(running, 'stop', 'redis-local')).stdout).toBe('"redis-local" is stopped.\n');
    expect(await runs(again.pid)).toBe(false);
    expect((await service(running, 'start', 'redis-local')).code).toBe(0);
    expect(await cli(port, url.password, 'get', 'kept')).toBe('yes\n');
    const log = await service(running, 'logs', 'redis-local', '--lines', '1000');
    expect(log.stdout).toContain('bye bye');
    expect(log.stdout).not.toContain(url.password);

    const gone = await service(running, 'uninstall', 'redis-local', '--delete-data');
    expect(gone.stdout).toBe('"redis-local" and its data are gone.\n');
    expect((await running.env()).REDIS_URL).toBeUndefined();
    expect(await readdir(join(running.home, 'external_services'))).toEqual([]);
    await expect(cli(port, url.password, 'ping')).rejects.toThrow('Connection refused');
  });
});

describe.skipIf(!hasPostgres)('PostgreSQL of the system', () => {
  const sql = async (url: string, text: string) =>
    (await run('psql', ['--no-psqlrc', '--tuples-only', '--no-align', '--command', text, url])).stdout.trim();

  test('is installed, used, killed and up again, outlives a crash of Luna, is stopped, and gone', async () => {
    const home = await openTo(await temporaryFolder());
    const running = await launchLuna(home);
    const port = await freePort();
    const config = join(home, 'settings.json');
    await writeFile(config, JSON.stringify({ port, password }), { mode: 0o600 });
    const installed = await service(running, 'install', 'postgres-local', '--config', config);
    expect(installed).toMatchObject({ code: 0, stdout: expect.stringContaining('It has set DATABASE_URL') });
    expect(installed.stderr).toContain('ready to accept connections');

    const { DATABASE_URL: url = '' } = await running.env();
    expect(await sql(url, "create table kept as select 'yes' as answer; select answer from kept")).toContain('yes');
    const other = url.replace(/:[^:@]*@/, ':wrong@');
    await expect(sql(other, 'select 1')).rejects.toThrow('password authentication failed');

    const { pid } = await untilService(running, 'postgres-local', { status: 'running' });
    process.kill(pid, 'SIGKILL');
    const again = await untilService(running, 'postgres-local', { status: 'running', restarts: 1 });
    expect(await sql(url, 'select answer from kept')).toBe('yes');

    const { pid: server } = await (await running.api('GET', 'status')).json();
    process.kill(server, 'SIGKILL');
    const later = await untilService(running, 'postgres-local', { status: 'running', restarts: 0 });
    expect(later.pid).not.toBe(again.pid);
    expect(await runs(again.pid)).toBe(false);
    expect(await sql(url, 'select answer from kept')).toBe('yes');

    expect((await service(running, 'stop', 'postgres-local')).code).toBe(0);
    expect(await runs(later.pid)).toBe(false);
    expect((await service(running, 'uninstall', 'postgres-local')).stdout).toContain('Its data are kept');
    expect(await serviceOf(running, 'postgres-local')).toMatchObject({ status: 'not_installed', hasData: true });

    // The data of before get the password of now.
    await writeFile(config, JSON.stringify({ port, password: 'another one' }), { mode: 0o600 });
    expect((await service(running, 'install', 'postgres-local', '--config', config)).code).toBe(0);
    expect(await sql((await running.env()).DATABASE_URL ?? '', 'select answer from kept')).toBe('yes');
    await expect(sql(url, 'select 1')).rejects.toThrow('password authentication failed');
    for (const file of [
      '.luna/logs/external_service_postgres-local.log',
      '.luna/external_services.json',
      'logs/luna.log',
    ])
      expect(await readFile(join(home, file), 'utf8')).not.toContain('touch hacked');
    expect(await readdir(home)).not.toContain('hacked');
    expect((await service(running, 'uninstall', 'postgres-local', '--delete-data')).code).toBe(0);
    expect(await readdir(join(home, 'external_services'))).toEqual([]);
  });
});
