import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, ProtocolError, Server } from '@modelcontextprotocol/server';
import { onTestFinished } from 'vitest';

/** An MCP server over HTTP that notes the headers of each call of a tool. `tell` fails, and tells all that it was given. */
export interface NotingServer {
  readonly url: string;
  /** Of each `tools/call`, the oldest first. */
  readonly calls: IncomingHttpHeaders[];
}

export async function startNotingServer(): Promise<NotingServer> {
  const calls: IncomingHttpHeaders[] = [];
  const handler = createMcpHandler(() => {
    const server = new Server({ name: 'noting-server', version: '1.0.0' }, { capabilities: { tools: {} } });
    const tool = (name: string) => ({ name, description: name, inputSchema: { type: 'object' as const } });
    server.setRequestHandler('tools/list', () => ({ tools: [tool('note'), tool('tell')] }));
    server.setRequestHandler('tools/call', ({ params }, { http }) => {
      const headers = Object.fromEntries(http?.req?.headers ?? []);
      calls.push(headers);
      if (params.name === 'note') return { content: [{ type: 'text', text: 'noted' }] };
      const told = { headers, args: params.arguments };
      throw new ProtocolError(-32001, `I was given ${JSON.stringify(told)}`, told);
    });
    return server;
  });
  const serve = toNodeHandler(handler);
  const http = createServer((request, response) => void serve(request, response));
  await new Promise<void>((settle) => http.listen(0, '127.0.0.1', settle));
  onTestFinished(() => {
    http.closeAllConnections();
    http.close();
  });
  return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`, calls };
}
