import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { commitTo, type GitServer, serveGit } from '../../packages/core/test/fixtures/git-server.ts';
import { zipOf } from '../../packages/core/test/fixtures/zip-bytes.ts';
import { connectHttp } from './support/clients.ts';
import { eventually } from './support/eventually.ts';
import { fixedTool, homeOf } from './support/homes.ts';
import { luna, type RunningLuna, startLuna, temporaryFolder } from './support/luna-process.ts';

let repositories = '';
let server: GitServer;
const settings = { luna: { git_protocols: ['https', 'http'], allowed_private_hosts: ['127.0.0.1'] } };

beforeEach(async () => {
  repositories = await temporaryFolder();
  server = await serveGit(repositories);
});

const home = (files: Record<string, string> = {}) =>
  homeOf({ 'master_config.json': JSON.stringify(settings), ...files });
const notes = (version: string, more: Record<string, string> = {}) => ({
  'config.json': JSON.stringify({ name: 'notes', version }),
  'tools/notes_tools.js': fixedTool('notes_greet', version),
  ...more,
});
const answerOf = async (running: RunningLuna, name = 'notes_greet') => {
  const response = await running.api('POST', 'tools/call', { name });
  return response.ok ? (await response.json()).result.content[0].text : response.status;
};
const json = async (answer: Promise<Response>) => (await answer).json();
const current = (running: RunningLuna) => json(running.api('GET', 'queue/current'));
const ended = (running: RunningLuna) =>
  eventually(async () => {
    const state = await current(running);
    expect(state.queue?.status).not.toBe('applying');
    return state;
  });

describe('by the API', () => {
  test('an extension comes, changes and goes while clients are connected, and nobody starts anything anew', async () => {
    const running = await startLuna(await home({ 'extensions/other/tools/o_tools.js': fixedTool('other', 'O') }));
    const client = await connectHttp('sdk 1.x, 2025-11-25', running);
    await commitTo(repositories, 'notes', notes('1.0.0'));
    const source = `${server.url}/notes.git`;
    const shown = await json(running.api('POST', 'extensions/inspect', { source }));
    expect(shown).toMatchObject({ name: 'notes', version: '1.0.0', toolFiles: ['tools/notes_tools.js'] });
    expect(await answerOf(running)).toBe(404);
    const saved = await running.api('POST', 'queue/save', { operations: [{ type: 'install', digest: shown.digest }] });
    expect([saved.status, await saved.json()]).toMatchObject([200, { status: 'waiting' }]);
    const begun = await running.api('POST', 'queue/apply');
    expect([begun.status, await begun.json()]).toMatchObject([202, { status: 'applying' }]);
    expect(await ended(running)).toMatchObject({ queue: null, last: { outcome: 'done' } });
    expect((await client.call('notes_greet')).content[0]?.text).toBe('1.0.0');

    await commitTo(repositories, 'notes', notes('2.0.0'));
    const { digest } = await json(running.api('POST', 'extensions/inspect', { source }));
    await running.api('POST', 'queue/save', { operations: [{ type: 'update', name: 'notes', digest }] });
    await running.api('POST', 'queue/apply');
    await ended(running);
    expect((await client.call('notes_greet')).content[0]?.text).toBe('2.0.0');
    expect(await json(running.api('GET', 'extensions/notes'))).toMatchObject({
      version: '2.0.0',
      source,
      health: { status: 'ready' },
      tools: [{ name: 'notes_greet' }],
      formerSince: expect.any(Number),
    });

    expect((await running.api('POST', 'extensions/notes/rollback')).status).toBe(200);
    expect((await client.call('notes_greet')).content[0]?.text).toBe('1.0.0');
    // What was switched in is watched like any other.
    await writeFile(join(running.home, 'extensions/notes/tools/notes_tools.js'), fixedTool('notes_greet', 'edited'));
    await eventually(async () => expect((await client.call('notes_greet')).content[0]?.text).toBe('edited'));

    await running.api('POST', 'queue/save', { operations: [{ type: 'delete', name: 'notes' }] });
    await running.api('POST', 'queue/apply');
    await ended(running);
    expect(await answerOf(running)).toBe(404);
    expect((await running.api('GET', 'extensions/notes')).status).toBe(404);
    const { extensions } = await json(running.api('GET', 'extensions'));
    expect(extensions.map(({ name }: { name: string }) => name)).toEqual(['other']);
    expect((await client.call('other')).content[0]?.text).toBe('O');
  });

  test('a version that does not load is taken back, and parked after three failures', async () => {
    const running = await startLuna(await home());
    const source = `${server.url}/notes.git`;
    const send = async (type: string) => {
      const { digest } = await json(running.api('POST', 'extensions/inspect', { source }));
      await running.api('POST', 'queue/save', { operations: [{ type, name: 'notes', digest }] });
      await running.api('POST', 'queue/apply');
      return ended(running);
    };
    await commitTo(repositories, 'notes', notes('1.0.0'));
    await send('install');
    await commitTo(
      repositories,
      'notes',
      notes('2.0.0', { 'tools/notes_tools.js': 'export const TOOLS = [\n  oops,\n];\n' }),
    );
    expect(await send('update')).toMatchObject({
      queue: { status: 'failed', failures: 1, reason: expect.stringMatching(/notes_tools\.js:2/) },
    });
    expect(await answerOf(running)).toBe('1.0.0');
    const health = async () => (await json(running.api('GET', 'extensions/notes'))).health;
    await eventually(async () => expect(await health()).toEqual({ status: 'ready' }));
    await running.api('POST', 'queue/apply');
    await ended(running);
    await running.api('POST', 'queue/apply');
    expect(await ended(running)).toMatchObject({ queue: { status: 'parked', failures: 3 } });
    expect((await running.api('POST', 'queue/apply')).status).toBe(409);
    const file = JSON.parse(await readFile(join(running.home, '.luna/update_queue.json'), 'utf8'));
    expect(file).toMatchObject({ status: 'parked', reason: expect.stringContaining('does not load') });
    expect((await running.api('DELETE', 'queue/current')).status).toBe(204);
    expect((await current(running)).queue).toBe(null);
    expect(await answerOf(running)).toBe('1.0.0');
  });

  test('a service of an extension is started anew in the version that came, and gone with it', async () => {
    const running = await startLuna(await home());
    const withService = (version: string) =>
      notes(version, {
        'services/board/start.sh': '#!/bin/sh\nexec node server.mjs "$1"\n',
        'services/board/server.mjs': `import { createServer } from 'node:http';
          createServer((_, response) => response.end('board ${version}')).listen(process.argv[2], '127.0.0.1');`,
        'services/board/service_config.json': JSON.stringify({ name: 'board', requires_port: true }),
      });
    const token = (await running.env()).SUPERVISOR_API_TOKEN;
    const board = async () =>
      (await fetch(`${running.url}/api/notes/`, { headers: { authorization: `Bearer ${token}` } })).text();
    const run = (...args: string[]) => luna(['ext', ...args, '--yes', '--home', running.home]);
    await commitTo(repositories, 'notes', withService('1.0.0'));
    expect((await run('add', `${server.url}/notes.git`)).stdout).toContain('services/board/start.sh');
    await eventually(async () => expect(await board()).toBe('board 1.0.0'), 20_000);
    await commitTo(repositories, 'notes', withService('2.0.0'));
    await run('update', 'notes');
    await eventually(async () => expect(await board()).toBe('board 2.0.0'), 20_000);
    expect(await json(running.api('GET', 'extensions/notes'))).toMatchObject({
      services: [{ name: 'notes.board', status: 'running' }],
    });
    await run('remove', 'notes');
    await eventually(async () => expect(await board()).not.toContain('board'), 20_000);
  });

  test('progress is told by events', async () => {
    const running = await startLuna(await home());
    await commitTo(repositories, 'notes', notes('1.0.0'));
    const { digest } = await json(running.api('POST', 'extensions/inspect', { source: `${server.url}/notes.git` }));
    const events = await running.api('GET', 'events');
    const reader = events.body?.pipeThrough(new TextDecoderStream()).getReader();
    await running.api('POST', 'queue/save', { operations: [{ type: 'install', digest }] });
    await running.api('POST', 'queue/apply');
    let text = '';
    while (!/"phase":"config_sync"/.test(text)) {
      const { value, done } = (await reader?.read()) ?? { done: true };
      if (done) break;
      text += value;
    }
    expect(text).toMatch(/event: queue\.changed[\s\S]*"phase":"install"[\s\S]*"phase":"dependencies"/);
    await reader?.cancel();
  });

  test('what is uploaded is kept within its limit, and is no secret way around what is shown', async () => {
    const running = await startLuna(await home());
    const token = (await running.env()).SUPERVISOR_API_TOKEN;
    const upload = (body: Buffer, type = 'application/zip', authorization = `Bearer ${token}`) =>
      fetch(`${running.url}/api/supervisor/extensions/upload?name=mine.zip`, {
        method: 'POST',
        headers: { authorization, 'content-type': type },
        body: new Uint8Array(body),
      });
    const zip = zipOf([{ name: 'tools/mine_tools.js', content: fixedTool('mine', 'M') }]);
    const taken = await upload(zip);
    expect(taken.status).toBe(201);
    const { source } = await taken.json();
    expect(await json(running.api('POST', 'extensions/inspect', { source }))).toMatchObject({ name: 'mine' });
    expect((await upload(zip, 'application/zip', 'Bearer no')).status).toBe(401);
    expect((await upload(Buffer.from('text'))).status).toBe(400);
    expect((await upload(Buffer.from('{}'), 'application/json')).status).toBe(400);
    const large = await fetch(`${running.url}/api/supervisor/extensions/upload`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/zip' },
      body: new ReadableStream({
        pull: (controller) => controller.enqueue(new Uint8Array(Buffer.from('PK'.repeat(512 * 1024)))),
      }),
      duplex: 'half',
    } as RequestInit).catch(() => ({ status: 413 }));
    expect(large.status).toBe(413);
    expect((await readdir(join(running.home, '.luna/uploads'))).length).toBe(1);
    for (const [path, body] of [
      ['extensions/inspect', { source: 'ext::sh -c x' }],
      ['extensions/inspect', {}],
      ['queue/save', { operations: [] }],
      ['queue/save', { operations: [{ type: 'install', digest: 'x' }] }],
      ['queue/save', { operations: [{ type: 'delete', name: '../..' }] }],
    ] as const)
      expect((await running.api('POST', path, body)).status).toBe(400);
    const option = { operations: [{ type: 'update_core', version: '--upload-pack=x' }] };
    expect((await running.api('POST', 'queue/save', option)).status).toBe(400);
    expect((await running.api('GET', 'extensions/..%2fx')).status).toBe(400);
  });
});

describe('from the command line', () => {
  test('an extension is shown, added, updated, rolled back and removed', async () => {
    const running = await startLuna(await home());
    const run = (...args: string[]) => luna(['ext', ...args, '--home', running.home]);
    const source = `${server.url}/notes.git`;
    await commitTo(repositories, 'notes', notes('1.0.0', { 'ui/start.sh': '#!/bin/sh\necho \u001b[31mred "$1"\n' }));
    const asked = await run('add', source);
    expect([asked.code, asked.stdout, asked.stderr]).toEqual([
      1,
      expect.stringMatching(/notes 1\.0\.0 \(new\)[\s\S]*Starts +ui\/start\.sh[\s\S]*echo ·\[31mred/),
      expect.stringContaining('--yes'),
    ]);
    expect(existsSync(join(running.home, 'extensions/notes'))).toBe(false);
    const added = await run('add', source, '--yes');
    expect([added.code, added.stdout]).toEqual([0, expect.stringContaining('✓ install notes')]);
    expect(added.stderr).toContain('install: notes');
    expect(await answerOf(running)).toBe('1.0.0');
    expect((await run('list')).stdout).toMatch(/notes +1\.0\.0 +1 +ready +http/);
    expect((await run('update')).stdout).toContain('Nothing has changed.');
    await commitTo(repositories, 'notes', notes('2.0.0'));
    const updated = await run('update', 'notes', '--yes', '--json');
    expect(JSON.parse(updated.stdout)).toMatchObject({ outcome: { outcome: 'done' } });
    expect(await answerOf(running)).toBe('2.0.0');
    expect((await run('rollback', 'notes')).stdout).toContain('"notes" is 1.0.0 again.');
    expect(await answerOf(running)).toBe('1.0.0');
    expect((await run('remove', 'notes', '--yes')).code).toBe(0);
    expect(await answerOf(running)).toBe(404);
    expect((await run('remove', 'notes', '--yes')).stderr).toContain('no extension "notes"');
    expect((await run('queue')).stdout).toContain('Nothing waits.');
  });

  test('a zip file is added, and one that fails leaves nothing waiting', async () => {
    const running = await startLuna(await home());
    const run = (...args: string[]) => luna(['ext', ...args, '--home', running.home]);
    const file = join(running.home, 'my-tools.zip');
    await writeFile(file, zipOf([{ name: 'tools/my_tools.js', content: fixedTool('mine', 'M') }]));
    expect((await run('add', file, '--yes')).code).toBe(0);
    expect(await answerOf(running, 'mine')).toBe('M');
    await writeFile(file, zipOf([{ name: 'tools/my_tools.js', content: 'export const TOOLS = oops;' }]));
    const failed = await run('add', file, '--name', 'broken', '--yes');
    expect([failed.code, failed.stderr]).toEqual([1, expect.stringContaining('does not load')]);
    expect((await run('queue')).stdout).toContain('Nothing waits.');
    expect(await readdir(join(running.home, 'extensions'))).toEqual(['my-tools']);
  });
});
