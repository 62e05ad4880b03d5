import { expect, test } from 'vitest';
import { agentRoom } from '../../test/fixtures/agent-room.ts';
import { scriptedModel } from '../../test/fixtures/scripted-model.ts';
import { testSource, tool } from '../../test/test-source.ts';
import { textResult } from '../tools/index.ts';
import { chatRequestOf, parseResponsesRequest } from './index.ts';

async function room() {
  const model = await scriptedModel(({ messages, tools }) => {
    if (messages.at(-1)?.role === 'tool') return { pieces: ['It is ', `${messages.at(-1)?.content}.`] };
    const own = tools?.some((one) => one.function.name === 'city');
    return { calls: [own ? { name: 'city', args: { of: 'me' }, id: 'c1' } : { name: 'add', args: {}, id: 'a1' }] };
  });
  const source = testSource('s', [tool('add')], async () => textResult('5'));
  return { model, ...(await agentRoom({ modelUrl: model.url, sources: [source] })) };
}

const city = { type: 'function' as const, name: 'city', parameters: { type: 'object', properties: {} }, strict: false };

test('a whole response', async () => {
  const { openai } = await room();
  const response = await openai.responses.create({ model: 'simple_agent', input: '2 + 3?', instructions: 'Be brief.' });
  expect(response).toMatchObject({
    object: 'response',
    status: 'completed',
    output_text: 'It is 5.',
    usage: { input_tokens: 20, output_tokens: 10, total_tokens: 30 },
  });
});

test('a streamed response, with progress as a summary of reasoning', async () => {
  const { openai } = await room();
  const stream = openai.responses.stream({ model: 'simple_agent', input: [{ role: 'user', content: '2 + 3?' }] });
  const types: string[] = [];
  const numbers: number[] = [];
  for await (const event of stream) {
    types.push(event.type);
    numbers.push(event.sequence_number);
  }
  expect(numbers).toEqual(numbers.map((_, index) => index));
  expect(types.slice(0, 3)).toEqual(['response.created', 'response.in_progress', 'response.output_item.added']);
  expect(types).toContain('response.reasoning_summary_text.delta');
  expect(types.filter((type) => type === 'response.output_text.delta')).toHaveLength(2);
  expect(types.at(-1)).toBe('response.completed');
  const final = await stream.finalResponse();
  expect(final.output_text).toBe('It is 5.');
  expect(final.output.map(({ type }) => type)).toEqual(['reasoning', 'message']);
});

test("calls of the client's own tools go back to it, and their results come with the next input", async () => {
  const { openai } = await room();
  const first = await openai.responses.create({ model: 'simple_agent', input: 'where?', tools: [city] });
  expect(first.output).toMatchObject([
    { type: 'function_call', name: 'city', call_id: 'c1', arguments: '{"of":"me"}' },
  ]);
  const streamed = await openai.responses
    .stream({ model: 'simple_agent', input: 'where?', tools: [city] })
    .finalResponse();
  expect(streamed.output).toMatchObject([{ type: 'function_call', call_id: 'c1', arguments: '{"of":"me"}' }]);
  const then = await openai.responses.create({
    model: 'simple_agent',
    tools: [city],
    input: [
      { role: 'user', content: 'where?' },
      { type: 'function_call', call_id: 'c1', name: 'city', arguments: '{}' },
      { type: 'function_call_output', call_id: 'c1', output: 'Rome' },
    ],
  });
  expect(then.output_text).toBe('It is Rome.');
});

test('a request as a chat: parts, developers, formats, choices', () => {
  const request = parseResponsesRequest({
    model: 'm',
    input: [
      { role: 'developer', content: [{ type: 'input_text', text: 'Be kind.' }] },
      {
        role: 'user',
        content: [
          { type: 'input_text', text: 'look' },
          { type: 'input_image', image_url: 'data:x', detail: 'low' },
        ],
      },
      { type: 'reasoning', id: 'r', summary: [] },
    ],
    tool_choice: { type: 'function', name: 'city' },
    max_output_tokens: 9,
    text: { format: { type: 'json_schema', name: 'n', schema: {}, strict: true } },
  });
  expect(chatRequestOf(request)).toEqual({
    model: 'm',
    messages: [
      { role: 'system', content: 'Be kind.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'look' },
          { type: 'image_url', image_url: { url: 'data:x', detail: 'low' } },
        ],
      },
    ],
    tool_choice: { type: 'function', function: { name: 'city' } },
    max_completion_tokens: 9,
    response_format: { type: 'json_schema', json_schema: { name: 'n', schema: {}, strict: true } },
  });
});

test.each([
  ['previous_response_id', { previous_response_id: 'resp_1' }],
  ['background', { background: true }],
  ['tools', { tools: [{ type: 'web_search' }] }],
  ['input', { input: 3 }],
  ['input.0', { input: [{ type: 'item_reference', id: 'x' }] }],
])('what agents do not offer is refused: %s', async (param, more) => {
  const { url } = await room();
  const body = JSON.stringify({ model: 'simple_agent', input: 'x', ...more });
  const response = await fetch(`${url}/responses`, { method: 'POST', body });
  expect([response.status, (await response.json()).error.param]).toEqual([400, param]);
});
