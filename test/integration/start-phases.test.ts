import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createLuna, type StartPhase, startPhaseNames } from '@luna/core/control';
import { describe, expect, test } from 'vitest';
import { commitTo, serveGit } from '../../packages/core/test/fixtures/git-server.ts';
import { eventually } from './support/eventually.ts';
import { fixedTool, homeOf } from './support/homes.ts';
import { luna, type RunningLuna, repository, startLuna, temporaryFolder } from './support/luna-process.ts';

const json = async (answer: Promise<Response>) => (await answer).json();
const phasesOf = async (running: RunningLuna): Promise<StartPhase[]> =>
  (await json(running.api('GET', 'status'))).phases;
const phaseOf = async (running: RunningLuna, name: string) =>
  (await phasesOf(running)).find((phase) => phase.name === name);

describe('the phases of a start', () => {
  test('begin in their order, are told as they come, and are kept with their times', async () => {
    const told: StartPhase[] = [];
    const made = await createLuna({ home: await homeOf({}), version: '1', onPhase: (phase) => told.push(phase) });
    await made.start();
    const began = told.filter(({ state }) => state === 'started').map(({ name }) => name);
    expect(new Set(began).size).toBe(began.length);
    expect(began.slice(0, 4)).toEqual(['update_queue', 'config', 'config_sync', 'state_reset']);
    expect(made.startPhases.all.map(({ name }) => name)).toEqual(startPhaseNames.slice(0, -1));
    expect(made.startPhases.all.every(({ state, durationMs }) => state === 'done' && durationMs >= 0)).toBe(true);
    expect(began).toEqual(startPhaseNames.slice(0, -1));
    await made.close();
  });

  test('are in the status, and in the line that --json prints, beside the addresses', async () => {
    const home = await homeOf({
      'extensions/one/tools/one_tools.js': fixedTool('one', '1'),
      'extensions/broken/tools/broken_tools.js': 'export const TOOLS = [',
    });
    const running = await startLuna(home);
    const phases = await phasesOf(running);
    expect(phases.map(({ name, state }) => [name, state])).toEqual(startPhaseNames.map((name) => [name, 'done']));
    expect(phases.find(({ name }) => name === 'config')?.detail).toBe('master_config.json was created.');
    expect(phases.find(({ name }) => name === 'extensions')?.detail).toMatch(/^2 sources; broken is /);
    expect(phases.filter(({ troubled }) => troubled).map(({ name }) => name)).toEqual(['extensions']);
    const ready = JSON.parse(running.output().stdout.split('\n')[0] ?? '');
    expect(ready.phases).toEqual(phases);
    expect(ready.addresses).toEqual([
      { kind: 'dashboard', name: 'dashboard', url: `${running.url}/` },
      { kind: 'hub', name: 'default', url: String(running.hubUrl()) },
      { kind: 'hub', name: 'main', url: `${running.url}/api/mcp` },
      { kind: 'agents', name: 'agents', url: `${running.url}/v1` },
    ]);
  });

  test('are one plain line each where nobody looks at a terminal', async () => {
    const program = join(repository, 'packages', 'server', 'bin', 'luna.mjs');
    const child = spawn(process.execPath, [program, 'start', '--home', await homeOf({}), '--port', '0'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    for await (const chunk of child.stdout) {
      output += chunk;
      if (output.includes('Stop with Ctrl-C.')) break;
    }
    child.kill('SIGTERM');
    await once(child, 'exit');
    const lines = output.split('\n').filter((line) => line.startsWith('✓ '));
    expect(lines).toHaveLength(startPhaseNames.length);
    expect(lines[0]).toMatch(/^✓ update queue +\d+ ms {2}Nothing waits\.$/);
    expect(output).not.toContain('\x1b');
    expect(output).toMatch(/ {2}Dashboard +http:\/\/127\.0\.0\.1:\d+\/\n/);
    expect(output).toMatch(/ {2}Agents +http:\/\/127\.0\.0\.1:\d+\/v1\n/);
  });

  test('one that fails is named, with what to do', async () => {
    const home = await homeOf({ 'master_config.json': '{ "luna": ' });
    const plain = await luna(['start', '--home', home, '--port', '0']);
    expect(plain.code).toBe(1);
    expect(plain.stdout).toMatch(/✗ configuration .*master_config\.json:1:.*\n.*luna doctor/);
    const asked = await luna(['start', '--home', home, '--port', '0', '--json']);
    expect(JSON.parse(asked.stderr).error).toMatchObject({ code: 'config_invalid', details: { phase: 'config' } });
  });
});

describe('a queue that an earlier Luna left', () => {
  const settings = JSON.stringify({ luna: { git_protocols: ['http'], allowed_private_hosts: ['127.0.0.1'] } });

  async function leaveQueue(files: Record<string, string>): Promise<string> {
    const repositories = await temporaryFolder();
    const server = await serveGit(repositories);
    const home = await homeOf({ 'master_config.json': settings });
    await commitTo(repositories, 'notes', files);
    const first = await startLuna(home);
    const { digest } = await json(
      first.api('POST', 'extensions/inspect', { source: `${server.url}/notes.git`, name: 'notes' }),
    );
    const saved = await first.api('POST', 'queue/save', { operations: [{ type: 'install', name: 'notes', digest }] });
    expect(saved.status).toBe(200);
    await first.stop();
    return home;
  }

  test('is done in its phase, before anything else of extensions runs', async () => {
    const home = await leaveQueue({ 'tools/notes_tools.js': fixedTool('note', 'kept') });
    const running = await startLuna(home);
    expect(await phaseOf(running, 'update_queue')).toMatchObject({ state: 'done', detail: '1 operation done.' });
    expect((await phaseOf(running, 'extensions'))?.detail).toBe('1 source.');
    const { queue, last } = await json(running.api('GET', 'queue/current'));
    expect([queue, last.outcome]).toEqual([null, 'done']);
    const answer = await json(running.api('POST', 'tools/call', { name: 'note' }));
    expect(answer.result.content[0].text).toContain('kept');
  });

  test('does not keep Luna from starting when it fails, and is tried once for each start', async () => {
    const home = await leaveQueue({ 'tools/notes_tools.js': 'throw new Error("not today");' });
    const running = await startLuna(home);
    expect((await phaseOf(running, 'update_queue'))?.detail).toContain('not today');
    expect(existsSync(join(home, 'extensions', 'notes'))).toBe(false);
    await eventually(async () => {
      const { queue } = await json(running.api('GET', 'queue/current'));
      expect(queue).toMatchObject({ status: 'failed', failures: 1 });
    });
  });
});
