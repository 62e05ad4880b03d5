import { McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { z } from 'zod';

/** A small MCP server for tests: it tells its process id, echoes, and waits until it is cancelled. */
serveStdio(() => {
  const server = new McpServer({ name: 'test-server', version: '1.0.0' });
  const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] });
  server.registerTool('pid', { description: 'Tells the process id.' }, () => text(String(process.pid)));
  server.registerTool(
    'echo',
    { description: 'Echoes.', inputSchema: z.object({ text: z.string() }) },
    ({ text: given }) => text(given),
  );
  server.registerTool(
    'wait',
    { description: 'Answers only when it is cancelled.' },
    (context) =>
      new Promise((resolve) => context.mcpReq.signal.addEventListener('abort', () => resolve(text('cancelled')))),
  );
  return server;
});
