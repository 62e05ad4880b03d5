// A model at an OpenAI-compatible endpoint that thinks for no time at all: a stream of 200 chunks, or two calls of a tool
// and then a short answer. Everything that it says was serialised before.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const chunkCount = 200;
const head = { id: 'chatcmpl-bench', object: 'chat.completion.chunk', created: 1, model: 'bench' };
const event = (delta: object, finish_reason: string | null = null) =>
  Buffer.from(`data: ${JSON.stringify({ ...head, choices: [{ index: 0, delta, finish_reason }] })}\n\n`);
const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
const end = [
  event({}, 'stop'),
  Buffer.from(`data: ${JSON.stringify({ ...head, choices: [], usage })}\n\ndata: [DONE]\n\n`),
];
const stream = [...Array.from({ length: chunkCount }, (_, index) => event({ content: ` word${index}` })), ...end];
const call = (index: number) => ({
  index,
  id: `call_${index}`,
  type: 'function',
  function: { name: 'add', arguments: '{"a":1,"b":2}' },
});
const calls = [event({ tool_calls: [call(0), call(1)] }), event({}, 'tool_calls'), end[1] as Buffer];
const answer = [event({ content: 'three' }), ...end];

const server = createServer((request, response) => {
  const body: Buffer[] = [];
  request.on('data', (chunk: Buffer) => body.push(chunk));
  request.on('end', () => {
    const asked = JSON.parse(Buffer.concat(body).toString());
    const isAnswered = asked.messages.at(-1).role === 'tool';
    const said = isAnswered ? answer : asked.tools ? calls : stream;
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const chunk of said) response.write(chunk);
    response.end();
  });
});
server.listen(0, '127.0.0.1', () =>
  process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` }),
);
