import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { HumanMessage } from '@langchain/core/messages';
import { tool as langChainTool } from '@langchain/core/tools';
import { ChatOpenAI } from '@langchain/openai';
import { generateText, jsonSchema, stepCountIs, streamText, tool } from 'ai';
import OpenAI from 'openai';
import { beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { modelKey, scriptedModel } from '../../packages/core/test/fixtures/scripted-model.ts';
import { homeOf } from './support/homes.ts';
import { startLuna } from './support/luna-process.ts';

const tools = `export const TOOLS = [{ name: 'add', description: 'Adds.', handler: ({ a, b }) => String(a + b) }];\n`;

/** A model that adds with Luna's tool, asks for the client's own one where there is one, and then answers in pieces. */
function script({
  messages,
  tools: offered,
}: {
  messages: { role: string; content?: unknown }[];
  tools?: { function: { name: string } }[];
}) {
  const last = messages.at(-1);
  const has = (name: string) => offered?.some((one) => one.function.name === name) === true;
  if (last?.role === 'tool') return { pieces: ['The answer ', 'is ', `${last.content}.`] };
  if (has('city')) return { calls: [{ name: 'city', args: { of: 'me' }, id: 'call_city' }] };
  return { calls: [{ name: 'add', args: { a: 2, b: 3 }, id: 'call_add' }] };
}

let at: { baseURL: string; apiKey: string };

beforeEach(async () => {
  const model = await scriptedModel(script);
  const luna = await startLuna(
    await homeOf({
      '.env': `OPENAI_BASE_URL=${model.url}\nOPENAI_API_KEY=${modelKey}\n`,
      'extensions/m/tools/m_tools.js': tools,
      'master_config.json': JSON.stringify({
        luna: { default_llm: 'scripted' },
        agent_presets: { adder: { tool_config: { add: { enabled: true } } } },
      }),
    }),
    { env: { OPENAI_API_KEY: '', OPENAI_BASE_URL: '' } },
  );
  at = { baseURL: `${luna.url}/v1`, apiKey: (await luna.env()).AGENT_API_KEY ?? '' };
});

describe('clients work unchanged', () => {
  test('openai: whole, streamed, and with its own runner of tools', async () => {
    const client = new OpenAI(at);
    const messages = [{ role: 'user' as const, content: '2 + 3?' }];
    const whole = await client.chat.completions.create({ model: 'adder', messages });
    expect(whole.choices[0]?.message.content).toBe('The answer is 5.');
    const streamed = client.chat.completions.stream({
      model: 'adder',
      messages,
      stream_options: { include_usage: true },
    });
    const final = await streamed.finalChatCompletion();
    expect(final).toMatchObject({
      choices: [{ message: { content: 'The answer is 5.' } }],
      usage: { total_tokens: 30 },
    });
    const runner = client.chat.completions.runTools({
      model: 'adder',
      messages,
      stream: true,
      tools: [
        {
          type: 'function',
          function: {
            name: 'city',
            parse: JSON.parse,
            parameters: { type: 'object', properties: {} },
            description: '',
            function: () => 'Rome',
          },
        },
      ],
    });
    expect(await runner.finalContent()).toBe('The answer is Rome.');
  });

  test("the AI SDK's compatible provider: whole, streamed with reasoning, and with tools of its own", async () => {
    const provider = createOpenAICompatible({ name: 'luna', includeUsage: true, ...at });
    const whole = await generateText({ model: provider('adder'), prompt: '2 + 3?' });
    expect(whole).toMatchObject({ text: 'The answer is 5.', finishReason: 'stop', usage: { totalTokens: 30 } });
    const streamed = streamText({ model: provider('adder'), prompt: '2 + 3?' });
    const pieces: string[] = [];
    for await (const piece of streamed.textStream) pieces.push(piece);
    expect(pieces).toEqual(['The answer ', 'is ', '5.']);
    expect(await streamed.reasoningText).toContain('Calling add');
    const withTool = await generateText({
      model: provider('adder'),
      prompt: 'where?',
      stopWhen: stepCountIs(3),
      tools: {
        city: tool({
          description: '',
          inputSchema: jsonSchema({ type: 'object', properties: {} }),
          execute: async () => 'Rome',
        }),
      },
    });
    expect(withTool.text).toBe('The answer is Rome.');
  });

  test('LangChain: whole, streamed, and with a tool bound to it', async () => {
    const chat = new ChatOpenAI({ model: 'adder', apiKey: at.apiKey, configuration: { baseURL: at.baseURL } });
    expect((await chat.invoke('2 + 3?')).text).toBe('The answer is 5.');
    let text = '';
    for await (const piece of await chat.stream('2 + 3?')) text += piece.text;
    expect(text).toBe('The answer is 5.');
    const city = langChainTool(async () => 'Rome', {
      name: 'city',
      description: 'x',
      schema: z.object({ of: z.string() }),
    });
    const asked = await chat.bindTools([city]).invoke([new HumanMessage('where?')]);
    expect(asked.tool_calls).toMatchObject([{ name: 'city', args: { of: 'me' }, id: 'call_city' }]);
  });
});
