import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node';
import { Server } from '@modelcontextprotocol/server';

/**
 * A hub made of the MCP SDK alone, the obvious way: one Client to the upstream, one Server for each session, each
 * handler forwarding to the Client. `node sdk-hub-server.ts PORT UPSTREAM_URL`.
 */

const [port, upstreamUrl] = process.argv.slice(2);
if (port === undefined || upstreamUrl === undefined) throw new Error('Usage: node sdk-hub-server.ts PORT UPSTREAM_URL');

const info = { name: 'sdk-hub', version: '1.0.0' };
const upstream = new Client(info);
await upstream.connect(new StreamableHTTPClientTransport(new URL(upstreamUrl)));

const sessions = new Map<string, NodeStreamableHTTPServerTransport>();

async function openTransport(): Promise<NodeStreamableHTTPServerTransport> {
  const transport = new NodeStreamableHTTPServerTransport({
    sessionIdGenerator: () => randomUUID(),
    onsessioninitialized: (id) => void sessions.set(id, transport),
    onsessionclosed: (id) => void sessions.delete(id),
  });
  const server = new Server(info, { capabilities: { tools: { listChanged: true } } });
  server.setRequestHandler('tools/list', ({ params }) => upstream.listTools(params));
  server.setRequestHandler('tools/call', ({ params }) => upstream.callTool(params));
  await server.connect(transport);
  return transport;
}

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.url === '/health') return void response.end('ok');
  const session = request.headers['mcp-session-id'];
  const transport = typeof session === 'string' ? sessions.get(session) : await openTransport();
  if (!transport) return void response.writeHead(404).end();
  await transport.handleRequest(request, response);
}

createServer((request, response) => {
  handle(request, response).catch((error) => {
    console.error(error);
    response.destroy();
  });
}).listen(Number(port), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
