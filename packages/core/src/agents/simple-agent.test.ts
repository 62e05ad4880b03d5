import { expect, test } from 'vitest';
import { agentRoom } from '../../test/fixtures/agent-room.ts';
import { scriptedModel } from '../../test/fixtures/scripted-model.ts';
import { testSource, tool } from '../../test/test-source.ts';
import { textResult } from '../tools/index.ts';

const numbers = {
  inputSchema: {
    type: 'object',
    properties: { a: { type: 'number' }, b: { type: 'number' } },
    required: ['a', 'b'],
  },
};

function calculator() {
  return testSource('calculator', [tool('add', numbers), tool('divide', numbers)], async (name, args) => {
    const [a, b] = [Number(args.a), Number(args.b)];
    if (name === 'divide' && b === 0) return { content: [{ type: 'text', text: 'division by zero' }], isError: true };
    return textResult(String(name === 'add' ? a + b : a / b));
  });
}

test('a model that calls tools gets their results, and its last answer is the answer', async () => {
  const model = await scriptedModel(({ messages }, index) =>
    index === 0
      ? {
          calls: [
            { name: 'add', args: { a: 2, b: 3 }, id: 'x' },
            { name: 'divide', args: { a: 1, b: 0 }, id: 'y' },
          ],
        }
      : {
          text: `got ${messages
            .filter(({ role }) => role === 'tool')
            .map(({ content }) => content)
            .join(' and ')}`,
        },
  );
  const { openai, runs } = await agentRoom({
    modelUrl: model.url,
    sources: [calculator()],
    presets: {
      sums: { tool_config: { add: { enabled: true }, divide: { enabled: true } }, instructions: 'Be exact.' },
    },
  });
  const answer = await openai.chat.completions.create({
    model: 'sums',
    messages: [{ role: 'user', content: '2 + 3?' }],
  });
  expect(answer.choices[0]).toMatchObject({
    finish_reason: 'stop',
    message: { role: 'assistant', content: 'got 5 and The tool failed: division by zero' },
  });
  expect(answer.usage).toEqual({ prompt_tokens: 20, completion_tokens: 10, total_tokens: 30 });
  expect(model.requests[0]?.messages).toEqual([
    { role: 'system', content: 'Be exact.' },
    { role: 'user', content: '2 + 3?' },
  ]);
  expect(runs).toMatchObject([
    { agent: 'sums', baseAgent: 'simple_agent', outcome: 'ok', modelCalls: 2, toolCalls: 2, promptTokens: 20 },
  ]);
});

test('a preset has the tools that it names and no others: in what the model sees, and in what is called', async () => {
  const model = await scriptedModel((_request, index) =>
    index === 0 ? { calls: [{ name: 'divide', args: { a: 1, b: 1 } }] } : { text: 'no' },
  );
  const called: string[] = [];
  const source = testSource('calculator', [tool('add', numbers), tool('divide', numbers)], async (name) => {
    called.push(name);
    return textResult('1');
  });
  const { openai, runs } = await agentRoom({
    modelUrl: model.url,
    sources: [source],
    presets: { adder: { tool_config: { add: { enabled: true } } } },
  });
  await openai.chat.completions.create({ model: 'adder', messages: [{ role: 'user', content: 'divide' }] });
  expect(model.requests[0]?.tools?.map((one) => one.function.name)).toEqual(['add']);
  expect(model.requests[1]?.messages.at(-1)).toMatchObject({
    role: 'tool',
    content: 'Error: There is no tool "divide" here. The tools are: add.',
  });
  expect(called).toEqual([]);
  expect(runs[0]?.steps[1]).toMatchObject({
    kind: 'tool',
    tool: 'divide',
    outcome: 'error',
    error: { code: 'tool_not_found' },
  });
});
