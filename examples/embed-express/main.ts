import { HubHttp, McpHub } from '@luna/core/hub';
import { McpSource } from '@luna/core/sources';
import { ToolRegistry } from '@luna/core/tools';
import express from 'express';

const registry = new ToolRegistry();
const files = new McpSource({
  id: 'files',
  target: { kind: 'stdio', command: 'mcp-server-filesystem', args: ['.'], cwd: import.meta.dirname },
});
registry.add(files);
await files.start();

// Only the tools that read; the hub refuses calls of all others.
const hub = new HubHttp(
  new McpHub({ name: 'files', registry, selection: ({ tool }) => tool.annotations?.readOnlyHint === true }),
);
const app = express();
app.use(express.json());
app.all('/mcp', (request, response) => hub.handle(request, response, { body: request.body }));
const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  console.log(`Hub at ${JSON.stringify(server.address())}`);
});
