import { existsSync, statSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { commitTo, serveGit } from '../../packages/core/test/fixtures/git-server.ts';
import { startNpmRegistry } from '../../packages/core/test/fixtures/npm-registry.ts';
import { eventually } from './support/eventually.ts';
import { fixedTool, homeOf } from './support/homes.ts';
import { type RunningLuna, startLuna, temporaryFolder } from './support/luna-process.ts';

const rounds = 12;
const parts = 30;

/** An extension of many files, all of which say which version they belong to. */
function version(name: string, number: number, dependencies: Record<string, string> = {}): Record<string, string> {
  const some = Array.from({ length: parts }, (_, index) => [`lib/part-${index}.txt`, `${number}`]);
  return {
    'config.json': JSON.stringify({ name, version: `${number}.0.0` }),
    [`tools/${name}_tools.js`]: fixedTool(`${name}_version`, `${number}`),
    'package.json': JSON.stringify({ type: 'module', dependencies }),
    ...Object.fromEntries(some),
  };
}

/**
 * The one version that all of an extension belongs to; throws where it is a mixture. Undefined where it is not there.
 * Luna may exchange the folder while it is read: then it is read again.
 */
async function wholeVersion(home: string, name: string): Promise<number | undefined> {
  const folder = join(home, 'extensions', name);
  const isExchanging = () => existsSync(join(home, '.luna/updates/journal.json'));
  const folderNow = () => statSync(folder, { throwIfNoEntry: false })?.ino;
  for (;;) {
    const before = folderNow();
    const wasExchanging = isExchanging();
    const [outcome] = await Promise.allSettled([before === undefined ? undefined : versionIn(folder, name)]);
    if (wasExchanging || isExchanging() || folderNow() !== before) {
      await sleep(10);
      continue;
    }
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  }
}

async function versionIn(folder: string, name: string): Promise<number> {
  const { version: told } = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'));
  const number = Number.parseInt(told, 10);
  const found = await Promise.all(
    Array.from({ length: parts }, (_, index) => readFile(join(folder, 'lib', `part-${index}.txt`), 'utf8')),
  );
  expect(new Set(found)).toEqual(new Set([`${number}`]));
  expect(await readFile(join(folder, `tools/${name}_tools.js`), 'utf8')).toContain(`'${number}'`);
  const { dependencies } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  for (const dependency of Object.keys(dependencies))
    expect(existsSync(join(folder, 'node_modules', dependency, 'index.js'))).toBe(true);
  return number;
}

const json = async (answer: Promise<Response>) => (await answer).json();

test('killed 24 times in all phases of the queue, Luna leaves each extension whole, and does what was asked in the end', async () => {
  const repositories = await temporaryFolder();
  const server = await serveGit(repositories);
  const registry = await startNpmRegistry();
  for (const number of [1, 2]) registry.publish('helper', `${number}.0.0`, { 'index.js': `export default ${number};` });
  const home = await homeOf({
    'master_config.json': JSON.stringify({
      luna: { git_protocols: ['http'], allowed_private_hosts: ['127.0.0.1'] },
    }),
  });
  const outside = await temporaryFolder();
  const env = { HOME: outside, NPM_CONFIG_REGISTRY: registry.url, npm_config_registry: registry.url };
  const start = () => startLuna(home, { env });
  const inspect = async (running: RunningLuna, name: string) =>
    (await json(running.api('POST', 'extensions/inspect', { source: `${server.url}/${name}.git` }))).digest;

  let running = await start();
  await commitTo(repositories, 'first', version('first', 0));
  await running.api('POST', 'queue/save', {
    operations: [{ type: 'install', digest: await inspect(running, 'first') }],
  });
  await running.api('POST', 'queue/apply');
  await eventually(async () => expect((await json(running.api('GET', 'queue/current'))).queue).toBe(null), 30_000);

  const moments: string[] = [];
  for (let round = 1; round <= rounds; round++) {
    // Every third round packages come too, slowly.
    const dependencies: Record<string, string> = round % 3 === 0 ? { helper: `${1 + (round % 2)}.0.0` } : {};
    registry.delay = () => sleep(Math.random() * 100);
    await commitTo(repositories, 'first', version('first', round, dependencies));
    await commitTo(repositories, 'second', version('second', round));
    const isThere = existsSync(join(home, 'extensions', 'second'));
    const operations = [
      { type: 'update', name: 'first', digest: await inspect(running, 'first') },
      isThere
        ? { type: 'delete', name: 'second' }
        : { type: 'install', name: 'second', digest: await inspect(running, 'second') },
    ];
    expect((await running.api('POST', 'queue/save', { operations })).status).toBe(200);
    expect((await running.api('POST', 'mcp-servers', { name: `hub-${round}` })).status).toBe(201);
    expect((await running.api('POST', 'queue/apply')).status).toBe(202);
    await sleep(Math.random() * (round % 3 === 0 ? 2_500 : 250));

    for (let kill = 0; kill < 2; kill++) {
      await running.kill();
      const queue = await readFile(join(home, '.luna/update_queue.json'), 'utf8').then(JSON.parse, () => undefined);
      const states = queue?.operations.map(({ state }: { state: string }) => state).join('+');
      moments.push(
        `${queue?.status ?? 'no queue'} ${states ?? ''} ${existsSync(join(home, '.luna/updates/journal.json'))}`,
      );
      running = await start();
      // Before it goes on with the queue everything is whole, the old or the new.
      expect([round - 1, round]).toContain(await wholeVersion(home, 'first'));
      expect([undefined, round - 1, round]).toContain(await wholeVersion(home, 'second'));
      if (kill === 0) await sleep(Math.random() * 200);
    }

    const { queue } = await eventually(async () => {
      const state = await json(running.api('GET', 'queue/current'));
      expect(state.queue?.status).not.toBe('applying');
      expect(state.queue?.status).not.toBe('waiting');
      return state;
    });
    expect(queue).toBe(null);
    expect(await wholeVersion(home, 'first')).toBe(round);
    expect(await wholeVersion(home, 'second')).toBe(isThere ? undefined : round);
    const called = await json(running.api('POST', 'tools/call', { name: 'first_version' }));
    expect(called.result.content[0].text).toBe(`${round}`);
    const { extensions } = await json(running.api('GET', 'config/master'));
    expect(extensions.first.digest).toBe(operations[0]?.digest);
    expect(Object.keys(extensions).sort()).toEqual(isThere ? ['first'] : ['first', 'second']);
    const { servers } = await json(running.api('GET', 'mcp-servers'));
    expect(servers.map(({ name }: { name: string }) => name)).toContain(`hub-${round}`);
    for (const left of ['staged', 'outgoing', 'work'])
      expect(await readdir(join(home, '.luna/updates', left)).catch(() => [])).toEqual([]);
    expect(existsSync(join(home, '.luna/updates/journal.json'))).toBe(false);
  }
  expect(moments.length).toBe(2 * rounds);
  expect(moments.filter((moment) => moment.startsWith('applying')).length).toBeGreaterThan(rounds / 4);
  expect((await readdir(join(home, 'extensions'))).every((name) => ['first', 'second'].includes(name))).toBe(true);
}, 600_000);
