import { expect, test, vi } from 'vitest';
import { agentRoom } from '../../test/fixtures/agent-room.ts';
import { scriptedModel } from '../../test/fixtures/scripted-model.ts';
import { testSource, tool } from '../../test/test-source.ts';
import { textResult } from '../tools/index.ts';

const soon = { timeout: 30_000, interval: 10 };

const user = (content: string) => [{ role: 'user' as const, content }];

/** All that a stream said: text, reasoning, how it ended, usage. */
async function told(stream: AsyncIterable<unknown>) {
  const said = { text: '', reasoning: '', finish: '' as string | null, usage: undefined as unknown, chunks: 0 };
  for await (const part of stream) {
    const { choices, usage } = part as {
      choices: { delta: { content?: string; reasoning_content?: string }; finish_reason: string | null }[];
      usage?: unknown;
    };
    said.chunks++;
    if (usage) said.usage = usage;
    said.text += choices[0]?.delta.content ?? '';
    said.reasoning += choices[0]?.delta.reasoning_content ?? '';
    said.finish = choices[0]?.finish_reason ?? said.finish;
  }
  return said;
}

test('an answer comes as it is made, with progress of tools as reasoning and the usage last', async () => {
  const model = await scriptedModel((_request, index) =>
    index === 0 ? { calls: [{ name: 'slow', args: {} }] } : { pieces: ['It ', 'is ', 'done.'] },
  );
  const source = testSource('s', [tool('slow')], async (_name, _args, { onProgress }) => {
    onProgress?.({ progress: 1, total: 2, message: 'half way' });
    return textResult('ok');
  });
  const { openai } = await agentRoom({ modelUrl: model.url, sources: [source] });
  const stream = await openai.chat.completions.create({
    model: 'simple_agent',
    messages: user('go'),
    stream: true,
    stream_options: { include_usage: true },
  });
  const said = await told(stream);
  expect(said).toMatchObject({
    text: 'It is done.',
    reasoning: 'Calling slow\nslow: half way (1/2)\n',
    finish: 'stop',
    usage: { prompt_tokens: 20, completion_tokens: 10, total_tokens: 30 },
  });
});

test('a preset can keep its progress to itself', async () => {
  const model = await scriptedModel((_request, index) =>
    index === 0 ? { calls: [{ name: 'slow', args: {} }] } : { text: 'done' },
  );
  const { openai } = await agentRoom({
    modelUrl: model.url,
    sources: [testSource('s', [tool('slow')])],
    presets: { quiet: { show_progress: false, tool_config: { slow: { enabled: true } } } },
  });
  const said = await told(await openai.chat.completions.create({ model: 'quiet', messages: user('go'), stream: true }));
  expect(said).toMatchObject({ text: 'done', reasoning: '' });
});

test('the client gets several answers when it asks for them', async () => {
  let number = 0;
  const model = await scriptedModel(() => ({ text: `answer ${++number}` }));
  const { openai, runs } = await agentRoom({ modelUrl: model.url });
  const { choices } = await openai.chat.completions.create({ model: 'simple_agent', messages: user('go'), n: 3 });
  expect(choices.map(({ message }) => message.content).sort()).toEqual(['answer 1', 'answer 2', 'answer 3']);
  expect(choices.map(({ index }) => index)).toEqual([0, 1, 2]);
  expect(runs).toHaveLength(3);
});

test("calls of the client's own tools go back to the client, whole and in a stream", async () => {
  const model = await scriptedModel(({ messages }) =>
    messages.at(-1)?.role === 'tool'
      ? { text: 'sunny' }
      : {
          calls: [
            { name: 'weather', args: { city: 'Rome' }, id: 'w1' },
            { name: 'own', args: {}, id: 'o1' },
          ],
        },
  );
  const called: string[] = [];
  const source = testSource('s', [tool('own'), tool('weather')], async (name) => {
    called.push(name);
    return textResult('x');
  });
  const { openai } = await agentRoom({ modelUrl: model.url, sources: [source] });
  const tools = [
    { type: 'function' as const, function: { name: 'weather', parameters: { type: 'object', properties: {} } } },
  ];
  const first = await openai.chat.completions.create({ model: 'simple_agent', messages: user('weather?'), tools });
  const call = { id: 'w1', type: 'function' as const, function: { name: 'weather', arguments: '{"city":"Rome"}' } };
  expect(first.choices[0]).toMatchObject({
    finish_reason: 'tool_calls',
    message: { content: null, tool_calls: [call] },
  });
  const streamed = openai.chat.completions.stream({ model: 'simple_agent', messages: user('weather?'), tools });
  expect((await streamed.finalChatCompletion()).choices[0]?.message.tool_calls).toMatchObject([call]);
  const then = await openai.chat.completions.create({
    model: 'simple_agent',
    messages: [
      ...user('weather?'),
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: 'w1', content: '24 °C' },
    ],
    tools,
  });
  expect(then.choices[0]?.message.content).toBe('sunny');
  expect(called).toEqual([]);
});

test('what the request says of the model reaches it: images, stop, response_format, temperature, tool_choice', async () => {
  const model = await scriptedModel((_request, index) =>
    index === 0 ? { calls: [{ name: 'a', args: {} }] } : { text: '{}' },
  );
  const { openai } = await agentRoom({
    modelUrl: model.url,
    sources: [testSource('s', [tool('a')])],
    presets: { p: { temperature: 0.1, model: 'scripted', tool_config: { a: { enabled: true } } } },
  });
  const content = [
    { type: 'text' as const, text: 'what is this?' },
    { type: 'image_url' as const, image_url: { url: 'data:image/png;base64,AAAA' } },
  ];
  const settings = { stop: ['END'], response_format: { type: 'json_object' as const } };
  await openai.chat.completions.create({
    model: 'p',
    messages: [{ role: 'user', content }],
    tool_choice: 'required',
    temperature: 0.7,
    ...settings,
  });
  expect(model.requests[0]).toMatchObject({
    ...settings,
    temperature: 0.7,
    tool_choice: 'required',
    messages: [{ role: 'user', content }],
  });
  // Demanded for ever, the turn would never end.
  expect(model.requests[1]).not.toHaveProperty('tool_choice');
  await openai.chat.completions.create({ model: 'p', messages: user('x') });
  expect(model.requests[2]).toMatchObject({ temperature: 0.1 });
});

test('memory and what sources say of their tools come before the conversation', async () => {
  const model = await scriptedModel(() => ({ text: 'ok' }));
  const source = { ...testSource('s', [tool('a')]), systemPrompt: 'Use a with care.' };
  const unused = { ...testSource('t', [tool('b')]), systemPrompt: 'Never seen.' };
  const { url } = await agentRoom({
    modelUrl: model.url,
    sources: [source, unused],
    presets: { p: { instructions: 'Be kind.', tool_config: { a: { enabled: true } } } },
  });
  const ask = (memory: string) =>
    fetch(`${url}/chat/completions`, {
      method: 'POST',
      headers: { 'x-luna-memory': memory },
      body: JSON.stringify({ model: 'p', messages: user('hi') }),
    });
  expect((await ask('Her name is Zo%C3%AB.')).headers.get('x-luna-run')).toMatch(/^run_/);
  await ask('100% sure');
  const said = model.requests.map(({ messages }) => messages[0]?.content);
  expect(said).toEqual([
    'Be kind.\n\nUse a with care.\n\nWhat is remembered of earlier conversations:\nHer name is Zoë.',
    'Be kind.\n\nUse a with care.\n\nWhat is remembered of earlier conversations:\n100% sure',
  ]);
});

test.each(['simple_agent', 'scripted'])('a client that hangs up stops the model of %s', async (name) => {
  const model = await scriptedModel(() => ({ pieces: ['one'], stall: true }));
  const { openai, runs } = await agentRoom({ modelUrl: model.url });
  const stream = await openai.chat.completions.create({ model: name, messages: user('go'), stream: true });
  for await (const part of stream) if (part.choices[0]?.delta.content) break;
  await vi.waitFor(() => expect(model).toMatchObject({ hangUps: 1, open: 0 }), soon);
  if (name === 'scripted') return;
  await vi.waitFor(() => expect(runs).toMatchObject([{ outcome: 'cancelled', answer: 'one' }]), soon);
});

test('a client that hangs up stops the tools', async () => {
  const model = await scriptedModel(() => ({ calls: [{ name: 'wait', args: {} }] }));
  let begun: (() => void) | undefined;
  const called = new Promise<void>((settle) => {
    begun = settle;
  });
  const stopped = new Promise<void>((settle) => {
    const source = testSource('s', [tool('wait')], (_name, _args, { signal }) => {
      begun?.();
      signal.addEventListener('abort', () => settle());
      return new Promise(() => undefined);
    });
    void (async () => {
      const { openai } = await agentRoom({ modelUrl: model.url, sources: [source] });
      const hangUp = new AbortController();
      void called.then(() => hangUp.abort());
      await openai.chat.completions
        .create({ model: 'simple_agent', messages: user('go') }, { signal: hangUp.signal })
        .catch(() => undefined);
    })();
  });
  await stopped;
});

test('of 100 streams at once none gets a chunk of another, and none loses one', async () => {
  const model = await scriptedModel(({ messages }) => {
    const name = String(messages.findLast(({ role }) => role === 'user')?.content);
    if (messages.at(-1)?.role !== 'tool') return { calls: [{ name: 'echo', args: { name } }] };
    return { pieces: Array.from({ length: 50 }, (_, index) => `${name}:${messages.at(-1)?.content}:${index};`) };
  });
  const source = testSource('s', [tool('echo')], async (_name, { name }) => textResult(String(name)));
  const { openai } = await agentRoom({ modelUrl: model.url, sources: [source] });
  const streams = Array.from({ length: 100 }, async (_, number) => {
    const name = `client${number}`;
    const relayed = number % 2 === 0;
    const stream = await openai.chat.completions.create({
      model: relayed ? 'simple_agent' : 'scripted',
      messages: user(name),
      stream: true,
    });
    const said = await told(stream);
    if (!relayed) return;
    expect(said.text).toBe(Array.from({ length: 50 }, (_, index) => `${name}:${name}:${index};`).join(''));
  });
  await Promise.all(streams);
});

test('of several answers none goes on when one has failed', async () => {
  const model = await scriptedModel((_request, index) =>
    index === 0 ? { status: 500 } : { pieces: ['x'], stall: true },
  );
  const { openai } = await agentRoom({ modelUrl: model.url });
  const asked = openai.chat.completions.create({ model: 'simple_agent', messages: user('go'), n: 3 });
  await expect(asked).rejects.toMatchObject({ status: 502 });
  await vi.waitFor(() => expect(model.open).toBe(0), soon);
});

test('whoever closes the agents lets turns come to their end, and ends those that do not', async () => {
  let go: ((value: unknown) => void) | undefined;
  const held = new Promise((settle) => {
    go = settle;
  });
  const model = await scriptedModel(({ messages }) =>
    messages[0]?.content === 'short' ? { after: held, text: 'in time' } : { pieces: ['x'], stall: true },
  );
  const { agents, runs } = await agentRoom({ modelUrl: model.url });
  const caller = { kind: 'test' };
  const short = agents.run({ agent: 'simple_agent', prompt: 'short', caller });
  const long = agents.run({ agent: 'simple_agent', prompt: 'long', caller });
  const refused = long.catch((error) => error);
  await vi.waitFor(() => expect(model.requests).toHaveLength(2), soon);
  const closed = agents.close(3_000);
  go?.(undefined);
  expect((await short).text).toBe('in time');
  expect(await refused).toMatchObject({ code: 'source_unavailable', message: 'Luna is stopping.' });
  await closed;
  expect(runs.map(({ outcome }) => outcome)).toEqual(['ok', 'error']);
});
