import { expect, test } from 'vitest';
import { agentRoom } from '../../test/fixtures/agent-room.ts';
import { testSource, tool } from '../../test/test-source.ts';
import { textResult } from '../tools/index.ts';

async function room() {
  const source = testSource('s', [tool('echo'), tool('secret')], async (name, args) =>
    args.fail === true
      ? { content: [{ type: 'text', text: 'it failed' }], isError: true }
      : textResult(`${name} ${JSON.stringify(args)}`),
  );
  return agentRoom({
    sources: [source],
    presets: {
      only: { base_agent: 'direct_agent', tool_config: { echo: { enabled: true }, gone: { enabled: true } } },
      off: { base_agent: 'direct_agent', enabled: false },
      lost: { base_agent: 'nobody' },
    },
  });
}

const caller = { kind: 'test' };

test.each([
  ['{"tool":"echo","args":{"a":1}}', 'echo {"a":1}'],
  ['{"tool":"echo"}', 'echo {}'],
  ['echo {"a":1}', 'echo {"a":1}'],
  ['  echo  ', 'echo {}'],
])('runs %s', async (prompt, text) => {
  const { agents } = await room();
  expect(await agents.run({ agent: 'direct_agent', prompt, caller })).toMatchObject({ text, finish: 'stop' });
});

test.each([
  ['', 'invalid_input'],
  ['please echo this', 'invalid_input'],
  ['{"tool":', 'invalid_input'],
  ['{"tool":1}', 'invalid_input'],
  ['{"tool":"echo","args":[1]}', 'invalid_input'],
  ['echo {"a":', 'invalid_input'],
  ['nothing_here {}', 'tool_not_found'],
  ['echo {"fail":true}', 'tool_failed'],
])('refuses %j with %s', async (prompt, code) => {
  const { agents, runs } = await room();
  await expect(agents.run({ agent: 'direct_agent', prompt, caller })).rejects.toMatchObject({
    code,
    details: { runId: expect.stringMatching(/^run_/) },
  });
  expect(runs).toMatchObject([{ outcome: 'error', error: { code } }]);
});

test('a preset holds for it, also when it is changed while it is used', async () => {
  const { agents, presets } = await room();
  const run = (agent: string, prompt: string) => agents.run({ agent, prompt, caller });
  expect((await run('only', 'echo')).text).toBe('echo {}');
  await expect(run('only', 'secret')).rejects.toMatchObject({ code: 'tool_not_found' });
  await expect(run('only', '{"tool":"s__secret"}')).rejects.toMatchObject({ code: 'tool_not_found' });
  await expect(run('off', 'echo')).rejects.toMatchObject({ code: 'forbidden' });
  await expect(run('lost', 'echo')).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining('nobody'),
  });
  await expect(run('nowhere', 'echo')).rejects.toMatchObject({ code: 'not_found' });
  if (presets.only) presets.only = { ...presets.only, tool_config: {} };
  await expect(run('only', 'echo')).rejects.toMatchObject({ code: 'tool_not_found' });
});

test('presets, agents and models are listed as models', async () => {
  const { url } = await room();
  const listed = await (await fetch(`${url}/models`)).json();
  expect(listed.object).toBe('list');
  expect(listed.data).toContainEqual({
    id: 'only',
    object: 'model',
    created: 0,
    owned_by: 'luna',
    is_preset: true,
    base_agent: 'direct_agent',
    tool_count: 1,
  });
  const ids = listed.data.map(({ id }: { id: string }) => id);
  expect(ids).toEqual(['only', 'simple_agent', 'passthrough_agent', 'direct_agent']);
  expect((await fetch(`${url}/models/only`)).status).toBe(200);
  expect((await fetch(`${url}/models/off`)).status).toBe(404);
  expect((await fetch(`${url}/models`, { method: 'POST' })).status).toBe(400);
});
