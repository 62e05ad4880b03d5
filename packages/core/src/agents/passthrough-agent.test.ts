import { expect, test } from 'vitest';
import { agentRoom } from '../../test/fixtures/agent-room.ts';
import { type ModelRequest, type ScriptedAnswer, scriptedModel } from '../../test/fixtures/scripted-model.ts';
import { testSource, tool } from '../../test/test-source.ts';
import { textResult } from '../tools/index.ts';
import { readPlan } from './builtin/plan.ts';

const plan = (value: object): ScriptedAnswer => ({
  text: JSON.stringify({ thought: 'x', calls: [], answer: null, ...value }),
});
const call = (name: string, args: object = {}) => ({ tool: name, arguments: JSON.stringify(args) });

/** An agent with `look`, which needs no asking, and `send`, which does. */
async function planned(
  script: (request: ModelRequest, index: number) => ScriptedAnswer,
  results: Record<string, string> = {},
) {
  const model = await scriptedModel(script);
  const called: unknown[] = [];
  const source = testSource('s', [tool('look'), tool('send')], async (name, args) => {
    called.push([name, args]);
    return textResult(results[name] ?? `${name} done`);
  });
  const room = await agentRoom({
    modelUrl: model.url,
    sources: [source],
    presets: {
      p: { base_agent: 'passthrough_agent', tool_config: { look: { enabled: true }, send: { enabled: true } } },
    },
    more: { isPassthrough: ({ name }) => name === 'look' },
  });
  const chat = async (...texts: string[]) => {
    const messages = texts.map((content, index) => ({
      role: index % 2 === 0 ? ('user' as const) : ('assistant' as const),
      content,
    }));
    const { choices } = await room.openai.chat.completions.create({ model: 'p', messages });
    return choices[0]?.message.content ?? '';
  };
  return { ...room, model, called, chat };
}

test('plans, runs what needs no asking, and answers', async () => {
  const { chat, model, called } = await planned((_request, index) =>
    index === 0 ? plan({ calls: [call('look', { at: 1 }), call('look', { at: 2 })] }) : plan({ answer: 'seen' }),
  );
  expect(await chat('look around')).toBe('seen');
  expect(called).toEqual([
    ['look', { at: 1 }],
    ['look', { at: 2 }],
  ]);
  expect(model.requests[0]?.response_format).toMatchObject({ type: 'json_schema', json_schema: { strict: true } });
  expect(model.requests[1]?.messages.at(-1)?.content).toContain('look done');
});

test('asks before other tools, and a yes runs exactly what was shown, once', async () => {
  const { chat, called } = await planned((_request, index) => {
    if (index === 0) return plan({ calls: [call('look'), call('send', { to: 'ada' })] });
    return plan({ answer: `after ${index}` });
  });
  const question = await chat('send it');
  expect(question).toContain('send {"to":"ada"}');
  expect(called).toEqual([['look', {}]]);
  // What the client says that it was asked makes no difference.
  expect(await chat('send it', question.replace('ada', 'eve'), 'Yes!')).toBe('after 1');
  expect(called.slice(1)).toEqual([['send', { to: 'ada' }]]);
  expect(await chat('send it', question, 'yes')).toBe('after 2');
  expect(called).toHaveLength(2);
});

test('anything but a yes runs nothing', async () => {
  const { chat, called } = await planned((_request, index) =>
    index === 0 ? plan({ calls: [call('send')] }) : plan({ answer: 'as you like' }),
  );
  const question = await chat('send it');
  expect(await chat('send it', question, 'yes, but to Bob')).toBe('as you like');
  expect(called).toEqual([]);
});

test('a result that ends with DIRECT_RESPONSE is the answer', async () => {
  const { chat, model } = await planned(() => plan({ calls: [call('look')] }), {
    look: 'Here it is.\nDIRECT_RESPONSE',
  });
  expect(await chat('look')).toBe('Here it is.');
  expect(model.requests).toHaveLength(1);
});

test('an endpoint without structured output is asked with less', async () => {
  const { chat, model } = await planned((request) => {
    if (request.response_format?.type !== 'text') return { status: 400, text: 'response_format is not supported' };
    return { text: 'Sure!\n```json\n{"calls":[],"answer":"plain"}\n```' };
  });
  expect(await chat('hi')).toBe('plain');
  expect(model.requests.map((request) => request.response_format?.type)).toEqual([
    'json_schema',
    'json_object',
    'text',
  ]);
});

test('a model that gives no plan may try again, and then it is an error', async () => {
  const { chat, model } = await planned((_request, index) =>
    index < 2 ? { text: 'I think so' } : plan({ answer: 'ok' }),
  );
  expect(await chat('hi')).toBe('ok');
  expect(model.requests[1]?.messages.at(-1)?.content).toContain('no JSON object');
  const hopeless = await planned(() => ({ text: '{"calls":"x"}' }));
  await expect(hopeless.chat('hi')).rejects.toMatchObject({ status: 502 });
});

test('a tool that the preset does not have is not called, whatever the plan says', async () => {
  const { chat, model, called } = await planned((_request, index) =>
    index === 0 ? plan({ calls: [call('delete_all')] }) : plan({ answer: 'no' }),
  );
  expect(await chat('go')).toBe('no');
  expect(called).toEqual([]);
  expect(model.requests[1]?.messages.at(-1)?.content).toContain('There is no tool \\"delete_all\\" here');
});

test.each([
  [
    '{"calls":[{"tool":"a","arguments":{"x":1}}]}',
    { plan: { calls: [{ tool: 'a', arguments: '{"x":1}' }], answer: null } },
  ],
  ['{"answer":"x"}', { plan: { calls: [], answer: 'x' } }],
  ['{}', { wrong: expect.stringContaining('neither') }],
  ['nothing', { wrong: expect.stringContaining('no JSON object') }],
  ['{"calls":}', { wrong: expect.any(String) }],
])('reads %s', (text, read) => {
  expect(readPlan(text)).toEqual(read);
});
