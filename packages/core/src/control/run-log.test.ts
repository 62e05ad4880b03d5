import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type AgentRun, AgentRuns, openStore } from '../store/index.ts';
import { RunLog } from './run-log.ts';

async function log(keptMs = 86_400_000) {
  const folder = await mkdtemp(join(tmpdir(), 'luna-runs-'));
  const store = await openStore(join(folder, 'luna.db'));
  const errors: unknown[] = [];
  const runs = new RunLog({ runs: new AgentRuns(store), keptMs: () => keptMs, onError: (error) => errors.push(error) });
  onTestFinished(async () => {
    await runs.close();
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });
  return { runs, store, errors };
}

const run = (id: string, more: Partial<AgentRun> = {}): AgentRun => ({
  id,
  agent: 'a',
  baseAgent: 'simple_agent',
  caller: { kind: 'api' },
  startedAt: Date.now(),
  durationMs: 1.5,
  outcome: 'ok',
  prompt: 'p',
  answer: 'x',
  promptTokens: 1,
  completionTokens: 2,
  modelCalls: 1,
  toolCalls: 0,
  steps: [],
  ...more,
});

test('a run is there as soon as somebody looks, and filters choose', async () => {
  const { runs, errors } = await log();
  runs.add(run('one', { startedAt: Date.now() - 2_000 }));
  runs.add(
    run('two', {
      agent: 'b',
      outcome: 'error',
      error: { code: 'timeout', message: 'late' },
      caller: { kind: 'schedule', name: 's' },
    }),
  );
  expect((await runs.list()).map(({ id }) => id)).toEqual(['two', 'one']);
  expect(await runs.list({ agent: 'b' })).toMatchObject([{ error: { code: 'timeout' }, caller: { name: 's' } }]);
  expect(await runs.list({ outcome: 'ok', callerKind: 'api' })).toMatchObject([{ id: 'one' }]);
  expect(await runs.list({ before: Date.now() - 1_000 })).toMatchObject([{ id: 'one' }]);
  expect(await runs.list({ limit: 1 })).toHaveLength(1);
  expect(await runs.get('one')).toMatchObject({ id: 'one', steps: [] });
  expect(await runs.get('three')).toBeUndefined();
  expect(errors).toEqual([]);
});

test('runs of long ago go, and thousands at once are kept', async () => {
  const { runs, errors } = await log(10_000);
  runs.add(run('old', { startedAt: Date.now() - 20_000 }));
  for (let number = 0; number < 1_500; number++) runs.add(run(`run${number}`));
  expect(await runs.list({ limit: 2_000 })).toHaveLength(1_500);
  expect(await runs.get('old')).toBeUndefined();
  expect(errors).toEqual([]);
});

test('a database that takes nothing is told, and the next run is tried again', async () => {
  const { runs, store, errors } = await log();
  runs.add(run('same'));
  await runs.list();
  runs.add(run('same'));
  runs.add(run('other'));
  await runs.list();
  expect(errors).toHaveLength(1);
  runs.add(run('next'));
  expect((await runs.list()).map(({ id }) => id)).toContain('next');
  await store.db.deleteFrom('agent_runs').execute();
});
