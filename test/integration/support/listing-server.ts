import { readFileSync, watch } from 'node:fs';
import { dirname } from 'node:path';
import { Server } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';

/** An MCP server for tests whose tools are what a file says; it tells when that changes. */
const file = process.argv[2] ?? '';
const tools = () => JSON.parse(readFileSync(file, 'utf8'));

serveStdio(() => {
  const server = new Server(
    { name: 'listing-server', version: '1.0.0' },
    { capabilities: { tools: { listChanged: true } } },
  );
  server.setRequestHandler('tools/list', () => ({ tools: tools() }));
  server.setRequestHandler('tools/call', ({ params }) => ({
    content: [{ type: 'text', text: `${params.name} was called` }],
  }));
  watch(dirname(file), () => void server.sendToolListChanged().catch(() => undefined));
  return server;
});
