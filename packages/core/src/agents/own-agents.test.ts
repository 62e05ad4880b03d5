import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { agentRoom } from '../../test/fixtures/agent-room.ts';
import { scriptedModel } from '../../test/fixtures/scripted-model.ts';
import { testSource, tool } from '../../test/test-source.ts';
import { textResult } from '../tools/index.ts';
import { HomeAgents } from './index.ts';

const soon = { timeout: 30_000, interval: 10 };

const caller = { kind: 'test' };

async function homeAgents(files: Record<string, string>) {
  const folder = await mkdtemp(join(tmpdir(), 'luna-agents-'));
  const put = async (name: string, text: string) => writeFileSync(join(folder, name), text);
  for (const [name, text] of Object.entries(files)) await put(name, text);
  const log: string[] = [];
  const own = new HomeAgents({ folder, onLog: (file, line) => log.push(`${file}: ${line}`) });
  await own.start();
  onTestFinished(async () => {
    await own.close();
    await rm(folder, { recursive: true, force: true });
  });
  return { own, put, folder, log };
}

const says = (name: string, text: string) => `export default { name: '${name}', run(turn) { turn.say('${text}'); } };`;

test('an agent in TypeScript asks the model and calls tools through its turn, held to its preset', async () => {
  const { own } = await homeAgents({
    'poet.ts': `
      import { defineAgent, lastUserText } from '@luna/core/agents';
      import { z } from 'zod';
      const limit: number = z.number().parse(1);
      export default defineAgent({
        name: 'poet',
        description: 'Writes.',
        async run(turn) {
          turn.think('looking');
          const seen = await turn.call('look', { n: limit });
          const refused = await turn.call('wipe', {}).catch((error: Error & { code?: string }) => error.code);
          const answer = await turn.ask({ messages: [{ role: 'user', content: lastUserText(turn.messages) + seen.content[0]?.text }], say: true });
          turn.say('!');
          return { finish: refused === 'tool_not_found' && answer.text === 'a rose' ? 'stop' : 'length' };
        },
      });`,
  });
  const model = await scriptedModel(() => ({ pieces: ['a ', 'rose'] }));
  const called: string[] = [];
  const source = testSource('s', [tool('look'), tool('wipe')], async (name) => {
    called.push(name);
    return textResult(' red');
  });
  const { agents, runs } = await agentRoom({
    modelUrl: model.url,
    sources: [source],
    presets: { p: { base_agent: 'poet', tool_config: { look: { enabled: true } } } },
    more: { agents: () => own.agents() },
  });
  const thoughts: string[] = [];
  const request = { model: 'p', messages: [{ role: 'user', content: 'flower' }] };
  const outcome = await agents.turn(request, { caller, listener: { onReasoning: (text) => thoughts.push(text) } });
  expect(outcome).toMatchObject({ text: 'a rose!', finish: 'stop' });
  expect(called).toEqual(['look']);
  expect(thoughts[0]).toBe('looking');
  expect(model.requests[0]?.messages).toEqual([{ role: 'user', content: 'flower red' }]);
  expect(runs).toMatchObject([{ agent: 'p', baseAgent: 'poet', modelCalls: 1, toolCalls: 2 }]);
});

test('a saved file is in force at once; one that does not load leaves the last good version, and names its line', async () => {
  const { own, put, folder } = await homeAgents({ 'a.ts': says('a', 'one') });
  const { agents } = await agentRoom({ more: { agents: () => own.agents() } });
  const ask = async () => (await agents.run({ agent: 'a', prompt: 'x', caller })).text;
  expect(await ask()).toBe('one');
  await put('a.ts', says('a', 'two'));
  await vi.waitFor(async () => expect(await ask()).toBe('two'), soon);
  await put('a.ts', 'export default {\n  name: 1 +,\n};');
  await vi.waitFor(() => {
    expect(own.state()[0]?.problem).toContain('the last good version goes on');
    expect(own.state()[0]?.problem).toContain(`${join(folder, 'a.ts')}:2`);
  }, soon);
  expect(await ask()).toBe('two');
  await put('b.js', `${says('b', 'B')}`);
  await vi.waitFor(async () => expect((await agents.run({ agent: 'b', prompt: 'x', caller })).text).toBe('B'), soon);
  await rm(join(folder, 'b.js'));
  await vi.waitFor(() => expect(agents.find('b')).toBeUndefined(), soon);
});

test.each([
  ['nothing', 'export const x = 1;', 'export an agent'],
  ['no name', 'export default { run() {} };', '"name"'],
  ['no run', "export default { name: 'x' };", '"run"'],
  ['an odd name', "export default { name: 'a b', run() {} };", '"name"'],
  ['two of one name', "const a = { name: 'x', run() {} }; export const AGENTS = [a, a];", 'two agents'],
  ['an import that is not there', "import 'nowhere-to-be-found';", 'nowhere-to-be-found'],
])('a file with %s says what is wrong', async (_what, text, problem) => {
  const { own } = await homeAgents({ 'x.ts': text });
  expect(own.agents()).toEqual([]);
  expect(own.state()[0]?.problem).toContain(problem);
});

test('an agent that ends its worker fails its turn alone, and runs again', async () => {
  const { own } = await homeAgents({
    'die.js':
      "export default { name: 'die', run(turn) { if (turn.messages[0].content === 'die') process.exit(1); turn.say('alive'); } };",
  });
  const { agents } = await agentRoom({ more: { agents: () => own.agents() } });
  await expect(agents.run({ agent: 'die', prompt: 'die', caller })).rejects.toMatchObject({
    code: 'source_unavailable',
  });
  expect((await agents.run({ agent: 'die', prompt: 'live', caller })).text).toBe('alive');
});

test('an agent that never yields is ended when its turn is withdrawn', async () => {
  const { own } = await homeAgents({
    'loop.js':
      "export default { name: 'loop', run(turn) { if (turn.messages[0].content === 'loop') for (;;); turn.say('free'); } };",
  });
  const { agents } = await agentRoom({ more: { agents: () => own.agents() } });
  const signal = AbortSignal.timeout(100);
  await expect(agents.run({ agent: 'loop', prompt: 'loop', caller, signal })).rejects.toMatchObject({
    code: 'cancelled',
  });
  await vi.waitFor(
    async () => expect((await agents.run({ agent: 'loop', prompt: 'x', caller })).text).toBe('free'),
    soon,
  );
});

test('what an agent throws is the error of its turn', async () => {
  const { own } = await homeAgents({
    'bad.js': "export default { name: 'bad', async run() { throw new Error('no idea'); } };",
  });
  const { agents } = await agentRoom({ more: { agents: () => own.agents() } });
  await expect(agents.run({ agent: 'bad', prompt: 'x', caller })).rejects.toMatchObject({
    code: 'tool_failed',
    message: 'no idea',
  });
});
