// The proxy that one would write first: the openai package asks, and each chunk is parsed and serialised again.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import OpenAI from 'openai';

const client = new OpenAI({ baseURL: process.argv[2], apiKey: 'none' });

const server = createServer(async (request, response) => {
  const body: Buffer[] = [];
  for await (const chunk of request) body.push(chunk);
  const asked = JSON.parse(Buffer.concat(body).toString()) as OpenAI.ChatCompletionCreateParamsStreaming;
  const stream = await client.chat.completions.create(asked);
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for await (const chunk of stream) response.write(`data: ${JSON.stringify(chunk)}\n\n`);
  response.end('data: [DONE]\n\n');
});
server.listen(0, '127.0.0.1', () =>
  process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` }),
);
