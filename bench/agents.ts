// node bench/agents.ts [rounds] [seconds]: what it costs to ask a model through Luna, beside the model itself and a proxy
// made from the openai package; and what an agent adds to its model and its tools. It needs the build (npm run build).
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Agent, request } from 'undici';

const rounds = Number(process.argv[2] ?? 5);
const seconds = Number(process.argv[3] ?? 1);
const chunkCount = 200;
const children: ChildProcess[] = [];
const dispatcher = new Agent({ connections: null, pipelining: 1 });

async function start(file: string, ...args: string[]): Promise<string> {
  const child = fork(join(import.meta.dirname, 'agents', file), args, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  children.push(child);
  const [message] = await once(child, 'message');
  return (message as { url: string }).url;
}

interface Asked {
  readonly firstMs: number;
  readonly allMs: number;
}

/** Asks once; throws when a chunk is missing. */
async function ask(url: string, body: string, chunks: number): Promise<Asked> {
  const started = performance.now();
  const response = await request(`${url}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer sk-luna-bench' },
    body,
    dispatcher,
  });
  let firstMs = 0;
  const parts: Buffer[] = [];
  for await (const part of response.body) {
    firstMs ||= performance.now() - started;
    parts.push(part);
  }
  const allMs = performance.now() - started;
  const text = Buffer.concat(parts).toString();
  const found = text.split('"content":" word').length - 1;
  if (response.statusCode !== 200 || found !== chunks || !text.includes('[DONE]'))
    throw new Error(`${url} answered ${response.statusCode} with ${found} of ${chunks} chunks: ${text.slice(0, 300)}`);
  return { firstMs, allMs };
}

async function measure(
  work: () => Promise<Asked>,
  callers: number,
): Promise<{ rate: number; firstMs: number; allMs: number }> {
  const all: Asked[] = [];
  const begun = performance.now();
  const end = begun + seconds * 1_000;
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (performance.now() < end) all.push(await work());
    }),
  );
  const rate = all.length / ((performance.now() - begun) / 1_000);
  return { rate, firstMs: median(all.map(({ firstMs }) => firstMs)), allMs: median(all.map(({ allMs }) => allMs)) };
}

function median(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;
}

const model = await start('model.ts');
const targets = [
  ['direct', model],
  ['Luna', await start('luna.ts', model)],
  ['openai package', await start('openai-proxy.ts', model)],
] as const;
const messages = [{ role: 'user', content: 'go' }];
const streamBody = JSON.stringify({ model: 'bench', stream: true, messages });

console.log(`${rounds} rounds of ${seconds} s, medians; a stream of ${chunkCount} chunks\n`);
console.log('| callers | target | streams/s | of direct | first chunk ms | added ms |\n|---:|---|---:|---:|---:|---:|');
for (const callers of [1, 16]) {
  const results = new Map(
    targets.map(([name]) => [name, [] as { rate: number; share: number; firstMs: number; addedMs: number }[]]),
  );
  for (const [, url] of targets) for (let warm = 0; warm < 300; warm++) await ask(url, streamBody, chunkCount);
  for (let round = 0; round < rounds; round++) {
    let direct = { rate: 1, firstMs: 0 };
    for (const [name, url] of targets) {
      const { rate, firstMs } = await measure(() => ask(url, streamBody, chunkCount), callers);
      if (name === 'direct') direct = { rate, firstMs };
      results.get(name)?.push({ rate, share: rate / direct.rate, firstMs, addedMs: firstMs - direct.firstMs });
    }
  }
  for (const [name, all] of results) {
    const of = (pick: (one: (typeof all)[number]) => number) => median(all.map(pick));
    console.log(
      `| ${callers} | ${name} | ${Math.round(of(({ rate }) => rate))} | ${Math.round(of(({ share }) => share) * 100)} % | ${of(({ firstMs }) => firstMs).toFixed(2)} | ${of(({ addedMs }) => addedMs).toFixed(2)} |`,
    );
  }
}

// The same two requests that the agent makes of its model, made by hand; its tools take no time to speak of.
const tools = [{ type: 'function', function: { name: 'add', description: 'Adds.', parameters: { type: 'object' } } }];
const toolCall = (index: number) => ({
  id: `call_${index}`,
  type: 'function',
  function: { name: 'add', arguments: '{"a":1,"b":2}' },
});
const second = [
  ...messages,
  { role: 'assistant', content: null, tool_calls: [toolCall(0), toolCall(1)] },
  { role: 'tool', tool_call_id: 'call_0', content: '3' },
  { role: 'tool', tool_call_id: 'call_1', content: '3' },
];
const firstBody = JSON.stringify({ model: 'bench', stream: true, messages, tools });
const secondBody = JSON.stringify({ model: 'bench', stream: true, messages: second, tools });
const byHand = async () => {
  const one = await ask(model, firstBody, 0);
  const two = await ask(model, secondBody, 0);
  return { firstMs: one.allMs + two.firstMs, allMs: one.allMs + two.allMs };
};
const turnBody = JSON.stringify({ model: 'adder', stream: true, messages });
const luna = targets[1][1];
const byAgent = () => ask(luna, turnBody, 0);
for (let warm = 0; warm < 300; warm++) await byAgent();
const turns: { hand: number; agent: number }[] = [];
for (let round = 0; round < rounds; round++) {
  const hand = (await measure(byHand, 1)).allMs;
  turns.push({ hand, agent: (await measure(byAgent, 1)).allMs });
}
const added = median(turns.map(({ hand, agent }) => agent - hand));
console.log(
  `\nA turn of an agent with two calls of a tool: ${median(turns.map(({ agent }) => agent)).toFixed(2)} ms; its two requests to the model by hand: ${median(turns.map(({ hand }) => hand)).toFixed(2)} ms; added: ${added.toFixed(2)} ms`,
);
for (const child of children) child.kill('SIGTERM');
await dispatcher.close();
