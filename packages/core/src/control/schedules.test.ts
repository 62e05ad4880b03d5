import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../../test/fixtures/temporary-folder.ts';
import { testSource, tool } from '../../test/test-source.ts';
import { type MasterConfig, masterConfigSchema } from '../config/index.ts';
import { openStore } from '../store/index.ts';
import { type ToolArguments, ToolPipeline, ToolRegistry } from '../tools/index.ts';
import { Hubs } from './hubs.ts';
import { lunaSchedules, type ScheduledAgents, type ScheduledPrompt } from './schedules.ts';

const never = { cron: '0 0 1 1 *' };
const key = 'x'.repeat(20);

async function schedulesWith(agents: ScheduledAgents | undefined) {
  const registry = new ToolRegistry();
  registry.add(
    testSource(
      'a',
      ['open', 'hidden', 'filled'].map((name) => tool(name)),
    ),
  );
  const pipeline = new ToolPipeline(registry);
  const hubs = new Hubs({ registry, pipeline, version: '1', redact: (text) => text, onError: () => undefined });
  let config: MasterConfig = masterConfigSchema.parse({
    mcp_servers: {
      planner: {
        api_key: key,
        schedules: true,
        tool_config: { hidden: { enabled_in_mcp: false }, filled: { arguments: { to: { fixed: 'all' } } } },
      },
    },
  });
  await hubs.apply(config);
  const store = await openStore(join(await temporaryFolder(), 'luna.db'));
  const { scheduler, tools } = lunaSchedules({ store, hubs, pipeline, config: () => config, agents });
  await scheduler.start();
  onTestFinished(async () => {
    await scheduler.close();
    await hubs.close();
    await store.close();
  });
  return {
    registry,
    scheduler,
    asHub: (tool: string, args: ToolArguments) =>
      tools.call(tool, args, { signal: new AbortController().signal, caller: { kind: 'hub', name: 'planner' } }),
    as: (kind: string, tool: string, args: ToolArguments) =>
      tools.call(tool, args, { signal: new AbortController().signal, caller: { kind, name: 'x' } }),
    reconfigure: async (change: (config: MasterConfig) => void) => {
      config = structuredClone(config);
      change(config);
      await hubs.apply(config);
    },
  };
}

function agentsThat(asked: ScheduledPrompt[]): ScheduledAgents {
  return {
    runAgent: async (prompt) => {
      asked.push(prompt);
      return `You said: ${prompt.prompt}`;
    },
    list: async () => [{ name: 'helper', description: 'Helps.' }],
    presetSelection: (preset) => (tool) => preset === 'reader' && tool.name === 'open',
  };
}

test('a prompt goes to its agent, and the answer is kept', async () => {
  const asked: ScheduledPrompt[] = [];
  const { scheduler } = await schedulesWith(agentsThat(asked));
  const action = { agent: 'helper', prompt: 'Hi' };
  await scheduler.add({ name: 'greet', action, when: never }, { kind: 'api' });
  expect(await scheduler.run('greet')).toMatchObject({ status: 'succeeded', result: 'You said: Hi' });
  expect(asked).toMatchObject([{ ...action, caller: { kind: 'schedule', name: 'greet' } }]);
  expect(asked[0]?.selection).toBeUndefined();
});

test('an agent that was scheduled through a hub gets what the hub shows as it is, now and later', async () => {
  const asked: ScheduledPrompt[] = [];
  const { scheduler, registry, asHub, reconfigure } = await schedulesWith(agentsThat(asked));
  expect(await asHub('schedule_agents', {})).toMatchObject({ structuredContent: { agents: [{ name: 'helper' }] } });
  await expect(
    asHub('schedule_register', { name: 'a', action: { agent: 'boss', prompt: 'Hi' }, when: never }),
  ).rejects.toThrow(/no agent "boss"/);
  await asHub('schedule_register', { name: 'greet', action: { agent: 'helper', prompt: 'Hi' }, when: never });
  await scheduler.run('greet');
  const allowed = () => [...registry.tools().values()].filter((tool) => asked[0]?.selection?.(tool)).map((t) => t.name);
  expect(allowed()).toEqual(['open']);
  await reconfigure((config) => {
    Object.assign(config.mcp_servers.planner?.tool_config ?? {}, { open: { enabled_in_mcp: false } });
  });
  expect(allowed()).toEqual([]);
});

test('a call that is held to a preset passes its selection', async () => {
  const { scheduler } = await schedulesWith(agentsThat([]));
  const add = (name: string, tool: string) =>
    scheduler.add({ name, action: { tool }, when: never, preset: 'reader' }, { kind: 'api' });
  await add('may', 'open');
  await add('may not', 'hidden');
  expect(await scheduler.run('may')).toMatchObject({ status: 'succeeded' });
  expect(await scheduler.run('may not')).toMatchObject({ status: 'failed', errorCode: 'tool_not_found' });
});

test.each(['lua', 'plain', 'schedule', 'agent'])('a caller of the kind %s makes no schedules', async (kind) => {
  const { as } = await schedulesWith(undefined);
  const definition = { name: 'a', action: { tool: 'open' }, when: never };
  await expect(as(kind, 'schedule_register', definition)).rejects.toMatchObject({ code: 'forbidden' });
});

test('an administrator uses the tools without limits of a hub', async () => {
  const { as, scheduler } = await schedulesWith(undefined);
  await as('api', 'schedule_register', { name: 'a', action: { tool: 'hidden' }, when: { every_seconds: 5 } });
  expect(scheduler.get('a')).toMatchObject({ madeBy: { kind: 'api' } });
  expect(await scheduler.run('a')).toMatchObject({ status: 'succeeded' });
});
