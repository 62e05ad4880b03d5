import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { agentRoom } from '../../test/fixtures/agent-room.ts';
import { scriptedModel } from '../../test/fixtures/scripted-model.ts';
import { testSource, tool } from '../../test/test-source.ts';
import { textResult } from '../tools/index.ts';

/** What endpoints do that call themselves compatible with OpenAI's. */

const stream = { 'content-type': 'text/event-stream' };

function events(...deltas: readonly object[]): { raw: string; headers: typeof stream } {
  const chunks = [...deltas.map((delta) => [delta, null]), [{}, 'stop']];
  const lines = chunks.map(([delta, finish_reason]) =>
    JSON.stringify({ object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason }] }),
  );
  return { raw: [...lines, '[DONE]'].map((line) => `data: ${line}\n\n`).join(''), headers: stream };
}

const whole = (message: object) => ({
  raw: JSON.stringify({
    object: 'chat.completion',
    choices: [{ index: 0, message, finish_reason: 'stop' }],
    usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 },
  }),
});

const call = (id: string | undefined, args: unknown, index?: number) => ({
  tool_calls: [{ index, id, type: 'function', function: { name: 'add', arguments: args } }],
});

async function answerOf(first: { raw: string; headers?: Record<string, string> }) {
  const model = await scriptedModel((_request, index) => (index === 0 ? first : { text: 'done' }));
  const add = testSource('s', [tool('add')], async (_name, args) => textResult(JSON.stringify(args)));
  const { openai } = await agentRoom({ modelUrl: model.url, sources: [add] });
  const answer = await openai.chat.completions.create(
    { model: 'simple_agent', messages: [{ role: 'user', content: 'go' }] },
    { maxRetries: 0 },
  );
  const results = model.requests[1]?.messages.flatMap((one) => (one.role === 'tool' ? [one.content] : []));
  return { text: answer.choices[0]?.message.content, usage: answer.usage, results };
}

test.each([
  ['number each call 0', [call('c1', '{"a":1}', 0), call('c2', '{"a":2}', 0)]],
  ['number each call 0 and send it in pieces', [call('c1', '{"a"', 0), call('c1', ':1}', 0), call('c2', '{"a":2}', 0)]],
  ['number no call', [call('c1', '{"a":1}'), call('c2', '{"a":2}')]],
  ['number no call and repeat its id', [call('c1', '{"a":'), call('c1', '1}'), call('c2', '{"a":2}')]],
  ['name no call', [call(undefined, '{"a":1}', 0), call('', '{"a":2}', 1)]],
  ['give arguments as an object', [call('c1', { a: 1 }, 0), call('c2', { a: 2 }, 1)]],
])('calls of endpoints that %s are told apart', async (_what, deltas) => {
  expect(await answerOf(events(...deltas))).toMatchObject({ text: 'done', results: ['{"a":1}', '{"a":2}'] });
});

test('an endpoint that streams nothing is understood', async () => {
  expect(await answerOf(whole({ role: 'assistant', content: 'all at once' }))).toMatchObject({
    text: 'all at once',
    usage: { total_tokens: 7 },
  });
  expect(await answerOf(whole({ role: 'assistant', content: null, ...call('c1', '{"a":1}') }))).toMatchObject({
    text: 'done',
    results: ['{"a":1}'],
  });
});

test('a refusal of the model is its answer', async () => {
  expect(await answerOf(events({ refusal: 'I cannot ' }, { refusal: 'do that.' }))).toMatchObject({
    text: 'I cannot do that.',
  });
});

test.each([
  ['in the place of an answer', { raw: '{"error":{"message":"The quota is used up.","code":429}}' }],
  ['within its answer', { raw: 'data: {"error":{"message":"The quota is used up."}}\n\n', headers: stream }],
])('an error that an endpoint sends %s is told', async (_what, first) => {
  await expect(answerOf(first)).rejects.toThrow('answered with an error: The quota is used up.');
});

test.each(['simple_agent', 'scripted'])('of %s a stream that breaks off says so', async (model) => {
  const server = createServer((_request, response) => {
    response.writeHead(200, stream);
    const chunk = { choices: [{ index: 0, delta: { content: 'half' }, finish_reason: null }] };
    response.write(`data: ${JSON.stringify(chunk)}\n\n`, () => response.destroy());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  const { openai } = await agentRoom({ modelUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` });
  const answer = await openai.chat.completions.create({
    model,
    stream: true,
    messages: [{ role: 'user', content: 'go' }],
  });
  const parts: (string | null | undefined)[] = [];
  const read = async () => {
    for await (const { choices } of answer) parts.push(choices[0]?.delta.content);
  };
  await expect(read()).rejects.toThrow('broke its answer off');
  expect(parts).toEqual(['half']);
});
