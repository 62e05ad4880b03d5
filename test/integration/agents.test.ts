import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { modelKey, scriptedModel } from '../../packages/core/test/fixtures/scripted-model.ts';
import { eventually } from './support/eventually.ts';
import { homeOf, put } from './support/homes.ts';
import { luna as command, type RunningLuna, startLuna } from './support/luna-process.ts';

const tools = `export const TOOLS = [
  { name: 'add', description: 'Adds.', input: { type: 'object', properties: { a: { type: 'number' }, b: { type: 'number' } }, required: ['a', 'b'] }, handler: ({ a, b }) => String(a + b) },
  { name: 'wipe', description: 'Deletes everything.', handler: () => 'wiped' },
];
export const SYSTEM_PROMPT = 'Add with care.';\n`;

const presets = { adder: { tool_config: { add: { enabled: true } } } };

async function lunaWith(modelUrl?: string, config: object = {}) {
  const model = modelUrl === undefined ? '' : `OPENAI_BASE_URL=${modelUrl}\nOPENAI_API_KEY=${modelKey}\n`;
  const home = await homeOf({
    '.env': model,
    'extensions/m/tools/m_tools.js': tools,
    'master_config.json': JSON.stringify({ luna: { default_llm: 'scripted' }, agent_presets: presets, ...config }),
  });
  const luna = await startLuna(home, { env: { OPENAI_API_KEY: '', OPENAI_BASE_URL: '' } });
  return { luna, home, openai: await clientOf(luna) };
}

async function clientOf(luna: RunningLuna, path = '/v1') {
  const apiKey = (await luna.env()).AGENT_API_KEY ?? '';
  return new OpenAI({ baseURL: luna.url + path, apiKey, maxRetries: 0 });
}

const say = (content: string) => [{ role: 'user' as const, content }];
const json = async (response: Response) => ({
  status: response.status,
  body: response.status === 204 ? undefined : await response.json(),
});

describe('agents', () => {
  test('answer at both addresses, behind the key that the first start has made', async () => {
    const model = await scriptedModel(({ messages }) =>
      messages.at(-1)?.role === 'tool'
        ? { text: `It is ${messages.at(-1)?.content}.` }
        : { calls: [{ name: 'add', args: { a: 2, b: 3 } }] },
    );
    const { luna, openai } = await lunaWith(model.url);
    expect((await luna.env()).AGENT_API_KEY).toMatch(/^sk-luna-.{20,}/);
    for (const client of [openai, await clientOf(luna, '/api/agent/v1')]) {
      const answer = await client.chat.completions.create({ model: 'adder', messages: say('2 + 3?') });
      expect(answer.choices[0]?.message.content).toBe('It is 5.');
    }
    expect(model.requests[0]?.messages[0]).toEqual({ role: 'system', content: 'Add with care.' });
    const wrong = new OpenAI({ baseURL: `${luna.url}/v1`, apiKey: 'sk-luna-wrong', maxRetries: 0 });
    await expect(wrong.models.list()).rejects.toMatchObject({ status: 401, code: 'invalid_api_key' });
    expect((await fetch(`${luna.url}/v1/models`)).status).toBe(401);
    for (const path of ['/v1/embeddings', '/v1', '/api/agent/v1/no/such'])
      expect((await fetch(`${luna.url}${path}`)).status).toBe(401);
    await expect(openai.embeddings.create({ model: 'adder', input: 'text' })).rejects.toMatchObject({
      status: 404,
      error: { message: expect.stringContaining('There is nothing at /v1/embeddings. Use /v1/chat/completions') },
    });
    expect(
      (
        await fetch(`${luna.url}/v1/models`, {
          headers: { authorization: `Bearer ${(await luna.env()).SUPERVISOR_API_TOKEN}` },
        })
      ).status,
    ).toBe(200);
    expect((await luna.api('GET', 'agents/built-in')).status).toBe(200);
    const asAgent = await fetch(`${luna.url}/api/supervisor/agents/presets`, {
      headers: { authorization: `Bearer ${(await luna.env()).AGENT_API_KEY}` },
    });
    expect(asAgent.status).toBe(401);
  });

  test('presets are made, changed and deleted live, and hold on every path', async () => {
    const model = await scriptedModel(({ messages }) =>
      messages.at(-1)?.role === 'tool'
        ? { text: String(messages.at(-1)?.content) }
        : { calls: [{ name: 'wipe', args: {} }] },
    );
    const { luna, home, openai } = await lunaWith(model.url);
    const ask = async (name: string, prompt = 'go') =>
      (await openai.chat.completions.create({ model: name, messages: say(prompt) })).choices[0]?.message.content;
    const made = await json(
      await luna.api('POST', 'agents/presets', {
        name: 'careful',
        base_agent: 'direct_agent',
        tool_config: { add: { enabled: true } },
      }),
    );
    expect(made).toMatchObject({ status: 201, body: { name: 'careful', baseAgent: 'direct_agent', toolCount: 1 } });
    expect(await ask('careful', 'add {"a":1,"b":1}')).toBe('2');
    await expect(ask('careful', 'wipe')).rejects.toMatchObject({ status: 404 });
    // The tool loop, and the try-it of the UI.
    expect(await ask('adder')).toContain('There is no tool "wipe" here');
    expect((await luna.api('POST', 'tools/call', { name: 'wipe', preset: 'adder' })).status).toBe(404);
    expect((await luna.api('POST', 'tools/call', { name: 'add', args: { a: 1, b: 2 }, preset: 'adder' })).status).toBe(
      200,
    );

    await luna.api('PATCH', 'agents/presets/careful', { tool_config: { wipe: { enabled: true } } });
    expect(await ask('careful', 'wipe')).toBe('wiped');
    await luna.api('PATCH', 'agents/presets/careful', { enabled: false });
    await expect(ask('careful', 'wipe')).rejects.toMatchObject({ status: 403 });
    expect((await luna.api('DELETE', 'agents/presets/careful')).status).toBe(204);
    await expect(ask('careful', 'wipe')).rejects.toMatchObject({ status: 404, code: 'model_not_found' });
    // By hand, in the file.
    const file = JSON.parse(await (await luna.api('GET', 'config/master')).text());
    file.agent_presets.by_hand = { base_agent: 'direct_agent', tool_config: { wipe: { enabled: true } } };
    await put(home, 'master_config.json', JSON.stringify(file));
    await eventually(async () => expect(await ask('by_hand', 'wipe')).toBe('wiped'));
    for (const [method, path, body, status] of [
      ['POST', 'agents/presets', { name: 'adder' }, 409],
      ['POST', 'agents/presets', { name: 'simple_agent' }, 409],
      ['POST', 'agents/presets', { name: '../x' }, 400],
      ['POST', 'agents/presets', { name: 'x', base_agent: 'nobody' }, 400],
      ['POST', 'agents/presets', { name: 'x', temperature: 9 }, 400],
      ['PATCH', 'agents/presets/adder', { limits: { max_steps: 0 } }, 400],
      ['PATCH', 'agents/presets/nowhere', {}, 404],
      ['DELETE', 'agents/presets/nowhere', undefined, 404],
      ['GET', 'agents/presets/nowhere/tools', undefined, 404],
    ] as const)
      expect([path, body, (await luna.api(method, path, body)).status]).toEqual([path, body, status]);
  });

  test('a preset that names a tool which is gone says so', async () => {
    const { luna } = await lunaWith(undefined, {
      agent_presets: {
        old: { tool_config: { add: { enabled: true }, vanished: { enabled: true }, unwanted: { enabled: false } } },
      },
    });
    const { body } = await json(await luna.api('GET', 'agents/presets'));
    expect(body.presets).toMatchObject([
      { name: 'old', toolCount: 1, missingTools: ['vanished'], problem: expect.stringContaining('vanished') },
    ]);
    const { body: shown } = await json(await luna.api('GET', 'agents/presets/old/tools'));
    expect(shown.tools.map(({ name, enabled, missing }: Record<string, unknown>) => [name, enabled, missing])).toEqual([
      ['add', true, false],
      ['wipe', false, false],
      ['vanished', true, true],
    ]);
  });

  test('runs are kept, listed, filtered and opened', async () => {
    const model = await scriptedModel(({ messages }) =>
      messages.at(-1)?.role === 'tool' ? { text: 'five' } : { calls: [{ name: 'add', args: { a: 2, b: 3 } }] },
    );
    const { luna, home, openai } = await lunaWith(model.url);
    await openai.chat.completions.create({ model: 'adder', messages: say('first') });
    await openai.chat.completions.create({ model: 'direct_agent', messages: say('nothing') }).catch(() => undefined);
    const { body } = await json(await luna.api('GET', 'agents/runs'));
    expect(body.runs).toMatchObject([
      { agent: 'direct_agent', outcome: 'error', error: { code: 'tool_not_found' } },
      {
        agent: 'adder',
        outcome: 'ok',
        prompt: 'first',
        answer: 'five',
        promptTokens: 20,
        toolCalls: 1,
        caller: { kind: 'api' },
      },
    ]);
    const { body: failed } = await json(await luna.api('GET', 'agents/runs?outcome=error'));
    expect(failed.runs).toHaveLength(1);
    const { body: page } = await json(
      await luna.api('GET', `agents/runs?agent=adder&limit=1&before=${Date.now() + 1000}`),
    );
    const { body: run } = await json(await luna.api('GET', `agents/runs/${page.runs[0].id}`));
    expect(run.steps).toMatchObject([
      { kind: 'model', wants: ['add'], promptTokens: 10 },
      { kind: 'tool', tool: 'add', args: '{"a":2,"b":3}', result: '5', outcome: 'ok' },
      { kind: 'model', text: 'five', finish: 'stop' },
    ]);
    expect((await luna.api('GET', 'agents/runs/run_nowhere')).status).toBe(404);
    expect((await luna.api('GET', 'agents/runs?limit=0')).status).toBe(400);
    await luna.stop();
    const again = await startLuna(home);
    const { body: kept } = await json(await again.api('GET', 'agents/runs'));
    expect(kept.runs).toHaveLength(2);
  });

  test('another key takes the place of the former one at once', async () => {
    const { luna, openai } = await lunaWith();
    expect(await json(await luna.api('GET', 'agents/api-key'))).toMatchObject({ body: { apiKey: openai.apiKey } });
    const { body } = await json(await luna.api('POST', 'agents/api-key/regenerate'));
    expect(body.apiKey).not.toBe(openai.apiKey);
    await expect(openai.models.list()).rejects.toMatchObject({ status: 401 });
    expect((await (await clientOf(luna)).models.list()).data.length).toBeGreaterThan(0);
    expect((await luna.env()).AGENT_API_KEY).toBe(body.apiKey);
  });

  test('without a model everything else works, and the error says what to set', async () => {
    const { luna, openai } = await lunaWith(undefined, { luna: {} });
    const problem = expect.stringMatching(/luna\.default_llm.*OPENAI_API_KEY.*OPENAI_BASE_URL/);
    expect(await json(await luna.api('GET', 'agents/models'))).toEqual({
      status: 200,
      body: { models: [{ name: '', isDefault: true, problem }] },
    });
    const direct = await openai.chat.completions.create({ model: 'direct_agent', messages: say('add {"a":1,"b":2}') });
    expect(direct.choices[0]?.message.content).toBe('3');
    await expect(openai.chat.completions.create({ model: 'simple_agent', messages: say('hi') })).rejects.toMatchObject({
      status: 503,
      message: problem,
    });
  });

  test('the configured models are listed, each with what is missing to ask it', async () => {
    const local = { base_url: 'http://127.0.0.1:9/v1', api_key: '${NO_SUCH_KEY}' };
    const { luna } = await lunaWith(undefined, { luna: { default_llm: 'far', models: { local } } });
    expect(await json(await luna.api('GET', 'agents/models'))).toMatchObject({
      body: {
        models: [
          { name: 'far', isDefault: true, problem: expect.stringContaining('OPENAI_API_KEY') },
          { name: 'local', isDefault: false, problem: expect.stringContaining('NO_SUCH_KEY') },
        ],
      },
    });
    // What is set by hand counts at once.
    await luna.api('GET', 'agents/api-key');
    await put(
      luna.home,
      '.env',
      `${Object.entries(await luna.env())
        .map((one) => one.join('='))
        .join('\n')}\nOPENAI_API_KEY=k\nNO_SUCH_KEY=k\n`,
    );
    expect(await json(await luna.api('GET', 'agents/models'))).toMatchObject({
      body: {
        models: [
          { name: 'far', isDefault: true },
          { name: 'local', isDefault: false },
        ],
      },
    });
  });

  test('a model that is named is relayed as it is', async () => {
    const model = await scriptedModel(() => ({ pieces: ['a', 'b'] }));
    const { openai } = await lunaWith(model.url, {
      luna: {
        models: { other: { model: 'scripted-2', base_url: `${model.url}/`, api_key: '${OPENAI_API_KEY}' } },
        default_llm: 'scripted',
      },
    });
    const stream = await openai.chat.completions.create({ model: 'scripted', messages: say('hi'), stream: true });
    let text = '';
    for await (const chunk of stream) {
      expect(chunk).toMatchObject({ id: 'chatcmpl-scripted', created: 1_700_000_000 });
      text += chunk.choices[0]?.delta.content ?? '';
    }
    expect(text).toBe('ab');
    await openai.chat.completions.create({ model: 'other', messages: say('hi') });
    expect(model.requests.map((request) => [request.model, 'tools' in request])).toEqual([
      ['scripted', false],
      ['scripted-2', false],
    ]);
  });

  test('agents of the home are there while their file is', async () => {
    const { luna, home, openai } = await lunaWith();
    await put(
      home,
      'agents/greeter.ts',
      "export default { name: 'greeter', description: 'Greets.', run(turn) { turn.say('hello'); } };",
    );
    const ask = async () =>
      (await openai.chat.completions.create({ model: 'greeter', messages: say('x') })).choices[0]?.message.content;
    await eventually(async () => expect(await ask()).toBe('hello'));
    const { body } = await json(await luna.api('GET', 'agents/built-in'));
    expect(body.agents).toContainEqual({ name: 'greeter', description: 'Greets.', toolCount: 2, file: 'greeter.ts' });
    expect((await openai.models.list()).data.map(({ id }) => id)).toContain('greeter');
  });

  // A dozen commands, each a process of its own.
  test('are used and set up from the command line', { timeout: 120_000 }, async () => {
    const model = await scriptedModel(() => ({ pieces: ['one ', 'two'] }));
    const { home } = await lunaWith(model.url);
    const run = (...args: string[]) => command([...args, '--home', home]);
    expect((await run('agent', 'preset', 'mine', '--tool', 'add', '--agent', 'direct_agent')).stdout).toMatch(
      /Tools +add/,
    );
    expect((await run('agent', 'list')).stdout).toMatch(/mine +direct_agent +1/);
    expect(await run('agent', 'run', 'mine', 'add {"a":4,"b":4}')).toMatchObject({ code: 0, stdout: '8\n' });
    expect((await run('agent', 'run', 'simple_agent', 'count', '--memory', 'ünï')).stdout).toBe('one two\n');
    expect(JSON.stringify(model.requests[0]?.messages)).toContain('ünï');
    expect(await run('agent', 'run', 'mine', 'wipe')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('luna: Unknown tool: wipe'),
    });
    const { stdout } = await run('runs', '--agent', 'mine', '--json');
    const [latest] = JSON.parse(stdout);
    expect(latest).toMatchObject({ outcome: 'error' });
    expect((await run('runs', latest.id)).stdout).toContain('error: Unknown tool: wipe');
    expect((await run('runs')).stdout).toContain('simple_agent');
    expect((await run('agent', 'preset', 'mine', '--off')).stdout).toMatch(/State +off/);
    expect((await run('agent', 'preset', 'mine', '--delete')).code).toBe(0);
    expect((await run('agent', 'key')).stdout).toMatch(/^sk-luna-/);
  });

  test('schedules ask agents and call tools under the same presets', async () => {
    const model = await scriptedModel(({ messages }) =>
      messages.at(-1)?.role === 'tool'
        ? { text: String(messages.at(-1)?.content) }
        : { calls: [{ name: 'wipe', args: {} }] },
    );
    const { luna } = await lunaWith(model.url);
    const when = { at: '2099-01-01T00:00:00Z' };
    const plan = async (name: string, more: object) => {
      expect(await json(await luna.api('POST', 'schedules', { name, when, ...more }))).toMatchObject({ status: 201 });
      return (await json(await luna.api('POST', `schedules/${name}/run`, { wait: true }))).body;
    };
    const asked = await plan('ask', { action: { agent: 'adder', prompt: 'wipe it' } });
    expect(asked).toMatchObject({
      status: 'succeeded',
      result: expect.stringContaining('There is no tool "wipe" here'),
    });
    const refused = await plan('wipe', { action: { tool: 'wipe' }, preset: 'adder' });
    expect(refused).toMatchObject({ status: 'failed', errorCode: 'tool_not_found' });
    const added = await plan('add', { action: { tool: 'add', args: { a: 1, b: 2 } }, preset: 'adder' });
    expect(added).toMatchObject({ status: 'succeeded', result: '3' });
    const { body } = await json(await luna.api('GET', 'agents/runs?caller=schedule'));
    expect(body.runs).toMatchObject([{ agent: 'adder', caller: { kind: 'schedule', name: 'ask' } }]);
  });
});
