import { ProtocolError, Server } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';

/** An MCP server for tests whose one tool is refused with an error that tells the key it was given. */
serveStdio(() => {
  const server = new Server({ name: 'telling-server', version: '1.0.0' }, { capabilities: { tools: {} } });
  server.setRequestHandler('tools/list', () => ({
    tools: [{ name: 'tell', description: 'Fails.', inputSchema: { type: 'object' } }],
  }));
  server.setRequestHandler('tools/call', () => {
    throw new ProtocolError(-32001, `The key is ${process.env.KEY}`, { key: process.env.KEY });
  });
  return server;
});
