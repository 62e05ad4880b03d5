import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { agentRoom } from '../../test/fixtures/agent-room.ts';
import { scriptedModel } from '../../test/fixtures/scripted-model.ts';
import { testSource, tool } from '../../test/test-source.ts';
import { textResult } from '../tools/index.ts';

const ask = { model: 'simple_agent', messages: [{ role: 'user' as const, content: 'go' }] };

async function post(url: string, body: unknown, path = '/chat/completions') {
  const response = await fetch(url + path, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, retry: response.headers.get('x-should-retry'), body: await response.json() };
}

test.each([
  ['no JSON', '{', 400, null, 'not valid JSON'],
  ['no object', '[]', 400, null, 'must be a JSON object'],
  ['no model', { messages: ask.messages }, 400, 'model', 'model'],
  ['no messages', { model: 'simple_agent' }, 400, 'messages', 'messages'],
  ['no message', { ...ask, messages: [] }, 400, 'messages', 'messages'],
  ['a message without a role', { ...ask, messages: [{ content: 'x' }] }, 400, 'messages.0.role', 'role'],
  ['too many answers', { ...ask, n: 100 }, 400, 'n', '"n"'],
  ['odd tools', { ...ask, tools: [{ type: 'x' }] }, 400, 'tools.0.type', 'tools'],
  ['deep nesting', `{"model":"simple_agent","x":${'['.repeat(300)}${']'.repeat(300)}}`, 400, null, 'nested deeper'],
  ['an unknown model', { ...ask, model: 'gpt-nowhere' }, 404, 'model', 'gpt-nowhere'],
  ['a name of objects', { ...ask, model: '__proto__' }, 404, 'model', '__proto__'],
])('a request with %s is refused as clients of OpenAI expect', async (_what, body, status, param, message) => {
  const { url } = await agentRoom({});
  const answer = await post(url, body);
  expect(answer).toMatchObject({
    status,
    retry: 'false',
    body: { error: { message: expect.stringContaining(message), type: 'invalid_request_error', param } },
  });
});

test('without a model the error says what to set, and what needs none works', async () => {
  const { openai, url } = await agentRoom({ sources: [testSource('s', [tool('a')], async () => textResult('A'))] });
  const { status, body } = await post(url, ask);
  expect(status).toBe(503);
  expect(body.error).toMatchObject({ code: 'model_unavailable', type: 'api_error' });
  for (const word of ['luna.default_llm', 'OPENAI_API_KEY', 'OPENAI_BASE_URL'])
    expect(body.error.message).toContain(word);
  const direct = await openai.chat.completions.create({
    model: 'direct_agent',
    messages: [{ role: 'user', content: 'a' }],
  });
  expect(direct.choices[0]?.message.content).toBe('A');
  expect((await openai.models.list()).data.map(({ id }) => id)).toContain('direct_agent');
});

test('a wrong key of the endpoint is named as such, and is not taken for the key of the client', async () => {
  const model = await scriptedModel(() => ({ text: 'never' }));
  const { url } = await agentRoom({
    modelUrl: model.url,
    models: { values: { OPENAI_BASE_URL: model.url, OPENAI_API_KEY: 'wrong' } },
  });
  for (const name of ['simple_agent', 'scripted']) {
    const answer = await post(url, { ...ask, model: name });
    expect(answer).toMatchObject({
      status: 502,
      body: { error: { message: expect.stringContaining('OPENAI_API_KEY') } },
    });
  }
});

test('an endpoint that is not there is an error that names it', async () => {
  const { url } = await agentRoom({ modelUrl: 'http://127.0.0.1:9/v1' });
  for (const name of ['simple_agent', 'scripted']) {
    const answer = await post(url, { ...ask, model: name });
    expect(answer).toMatchObject({ status: 502, body: { error: { message: expect.stringContaining('127.0.0.1:9') } } });
  }
});

test('arguments that do not fit go back to the model until they do', async () => {
  const wrong = ['{"a":', '[1]', '{"a":"x"}', '{}'];
  const model = await scriptedModel(({ messages }) => {
    const tries = messages.filter(({ role }) => role === 'tool').length;
    return tries <= wrong.length ? { calls: [{ name: 'square', args: wrong[tries] ?? { a: 3 } }] } : { text: 'nine' };
  });
  const schema = { type: 'object', properties: { a: { type: 'number' } }, required: ['a'] };
  const called: unknown[] = [];
  const source = testSource('s', [tool('square', { inputSchema: schema })], async (_name, args) => {
    called.push(args);
    return textResult('9');
  });
  const { openai, runs } = await agentRoom({ modelUrl: model.url, sources: [source] });
  const answer = await openai.chat.completions.create(ask);
  expect(answer.choices[0]?.message.content).toBe('nine');
  expect(called).toEqual([{ a: 3 }]);
  const said = model.requests.at(-1)?.messages.flatMap((one) => (one.role === 'tool' ? [String(one.content)] : []));
  expect(said).toEqual([
    expect.stringMatching(/^Error: The arguments are not valid JSON.*call square again/),
    expect.stringContaining('must be a JSON object'),
    expect.stringContaining('must be number'),
    expect.stringContaining("required property 'a'"),
    '9',
  ]);
  expect(runs[0]?.steps.filter(({ error }) => error?.code === 'invalid_input')).toHaveLength(4);
});

test('huge arguments go back to the model and reach no tool', async () => {
  const model = await scriptedModel((_request, index) =>
    index === 0 ? { calls: [{ name: 'a', args: { text: 'x'.repeat(300_000) } }] } : { text: 'sorry' },
  );
  const called: unknown[] = [];
  const source = testSource('s', [tool('a')], async (_name, args) => {
    called.push(args);
    return textResult('');
  });
  const { openai } = await agentRoom({ modelUrl: model.url, sources: [source] });
  await openai.chat.completions.create(ask);
  expect(called).toEqual([]);
  expect(model.requests[1]?.messages.at(-1)?.content).toMatch(/^Error: The arguments have 30\d+ bytes; at most 262144/);
});

test('a long result reaches the model cut, and says so', async () => {
  const model = await scriptedModel((_request, index) =>
    index === 0 ? { calls: [{ name: 'a', args: {} }] } : { text: 'ok' },
  );
  const { openai } = await agentRoom({
    modelUrl: model.url,
    sources: [testSource('s', [tool('a')], async () => textResult('y'.repeat(5_000)))],
    presets: { p: { limits: { max_result_characters: 100 }, tool_config: { a: { enabled: true } } } },
  });
  await openai.chat.completions.create({ ...ask, model: 'p' });
  expect(model.requests[1]?.messages.at(-1)?.content).toBe(
    `${'y'.repeat(100)}\n[The result is cut here: it has 5000 characters.]`,
  );
});

test.each([
  ['steps', { max_steps: 3 }, 3],
  ['tokens', { max_total_tokens: 25 }, 2],
])(
  'a model that calls tools for ever is stopped at its limit of %s, and the answer says so',
  async (what, limits, steps) => {
    const model = await scriptedModel(() => ({ text: 'more', calls: [{ name: 'a', args: {} }] }));
    const { openai, runs } = await agentRoom({
      modelUrl: model.url,
      sources: [testSource('s', [tool('a')])],
      presets: { p: { limits, tool_config: { a: { enabled: true } } } },
    });
    const { choices } = await openai.chat.completions.create({ ...ask, model: 'p' });
    expect(choices[0]).toMatchObject({ finish_reason: 'length' });
    expect(choices[0]?.message.content).toMatch(new RegExp(`The agent stopped: it reached its limit of \\d+ ${what}`));
    expect(model.requests).toHaveLength(steps);
    expect(runs).toMatchObject([{ outcome: 'limit', modelCalls: steps }]);
  },
);

test('a turn that takes too long ends at its limit', async () => {
  const model = await scriptedModel(() => ({ calls: [{ name: 'wait', args: {} }] }));
  const { url, runs } = await agentRoom({
    modelUrl: model.url,
    sources: [testSource('s', [tool('wait')], () => new Promise(() => undefined))],
    presets: { p: { limits: { timeout_seconds: 0.2 }, tool_config: { wait: { enabled: true } } } },
  });
  const { status, body } = await post(url, { ...ask, model: 'p' });
  expect(status).toBe(504);
  expect(body.error.message).toContain('within 0.2 s');
  expect(runs).toMatchObject([{ outcome: 'error', error: { code: 'timeout' } }]);
});

test.each([
  ['a page of HTML', { raw: '<html>hello</html>', headers: { 'content-type': 'text/html' } }],
  ['JSON of another kind', { raw: '{"hello":1}' }],
  ['broken events', { raw: 'data: {"choices": [\n\n', headers: { 'content-type': 'text/event-stream' } }],
  [
    'events of another kind',
    { raw: 'data: {"a":1}\n\ndata: [DONE]\n\n', headers: { 'content-type': 'text/event-stream' } },
  ],
  [
    'an end before the end',
    { raw: 'data: {"choices":[{"delta":{"content":"x"}}]}\n\n', headers: { 'content-type': 'text/event-stream' } },
  ],
  [
    'choices that are none',
    { raw: 'data: {"choices":"x"}\n\ndata: {"choices":[null]}\n\n', headers: { 'content-type': 'text/event-stream' } },
  ],
  ['HTTP 500', { status: 500, text: 'the model is ill' }],
])('a model that answers %s is an error of the gateway', async (_what, answer) => {
  const model = await scriptedModel(() => answer);
  const { url, runs, errors } = await agentRoom({ modelUrl: model.url });
  const { status, body } = await post(url, ask);
  expect({ status, code: body.error.code }).toEqual({ status: 502, code: 'upstream_error' });
  expect(runs).toMatchObject([{ outcome: 'error' }]);
  expect(errors).toEqual([]);
});

test('an endpoint that says 429 is 429, with its time to come back', async () => {
  const model = await scriptedModel(() => ({ status: 429, text: 'slow down', headers: { 'retry-after': '7' } }));
  const { url } = await agentRoom({ modelUrl: model.url });
  const response = await fetch(`${url}/chat/completions`, { method: 'POST', body: JSON.stringify(ask) });
  expect([response.status, response.headers.get('retry-after')]).toEqual([429, '7']);
});

test('an endpoint that fails for a moment is asked again', async () => {
  const model = await scriptedModel((_request, index) =>
    index < 2 ? { status: 503, text: 'soon' } : { text: 'here' },
  );
  const { openai } = await agentRoom({ modelUrl: model.url, models: { retries: 2 } });
  expect((await openai.chat.completions.create(ask)).choices[0]?.message.content).toBe('here');
});

test.each(['simple_agent', 'scripted'])(
  'a model that stalls in the middle ends the stream of %s with an error',
  async (name) => {
    const model = await scriptedModel(() => ({ pieces: ['so far'], stall: true }));
    const { openai } = await agentRoom({ modelUrl: model.url, models: { timeoutMs: 1_000 } });
    let text = '';
    const reading = (async () => {
      const stream = await openai.chat.completions.create({ ...ask, model: name, stream: true });
      for await (const part of stream) text += part.choices[0]?.delta.content ?? '';
    })();
    await expect(reading).rejects.toThrow(/silent for 1 s/);
    expect(text).toBe('so far');
  },
);

test('a model that never begins to answer is a timeout', async () => {
  const model = await scriptedModel(() => ({ after: new Promise(() => undefined) }));
  const { url } = await agentRoom({ modelUrl: model.url, models: { timeoutMs: 200, retries: 2 } });
  for (const name of ['simple_agent', 'scripted'])
    expect(await post(url, { ...ask, model: name })).toMatchObject({
      status: 504,
      body: { error: { code: 'timeout' } },
    });
});

test('a body that is announced as too long is refused unread', async () => {
  const { url } = await agentRoom({});
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.write(`POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n`);
  const [head] = await new Promise<string[]>((settle) =>
    socket.once('data', (data) => settle(String(data).split('\r\n'))),
  );
  expect(head).toContain('413');
  socket.destroy();
});

test('a tool that breaks is told to the model, and the turn goes on', async () => {
  const model = await scriptedModel((_request, index) =>
    index === 0 ? { calls: [{ name: 'a', args: {} }] } : { text: 'ok' },
  );
  const source = testSource('s', [tool('a')], async () => {
    throw new Error('it is on fire');
  });
  const { openai } = await agentRoom({ modelUrl: model.url, sources: [source] });
  await openai.chat.completions.create(ask);
  expect(model.requests[1]?.messages.at(-1)?.content).toBe('Error: it is on fire');
});
