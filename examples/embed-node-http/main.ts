import { createServer } from 'node:http';
import { HubHttp, McpHub } from '@luna/core/hub';
import { McpSource } from '@luna/core/sources';
import { ToolPipeline, ToolRegistry, timeout } from '@luna/core/tools';

const registry = new ToolRegistry();
const everything = new McpSource({
  id: 'everything',
  target: { kind: 'stdio', command: 'mcp-server-everything', args: ['stdio'], cwd: import.meta.dirname },
});
registry.add(everything);
await everything.start();

// Each call passes the pipeline: here a limit of time, and a line for each call.
const pipeline = new ToolPipeline(registry).use(timeout({ idleMs: 30_000, absoluteMs: 120_000 })).use((call, next) => {
  console.error(`${call.caller.name} calls ${call.tool.name}`);
  return next();
});
const hub = new HubHttp(new McpHub({ name: 'everything', registry, pipeline }));
const server = createServer((request, response) => hub.handle(request, response));
server.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  console.log(`Hub at ${JSON.stringify(server.address())}`);
});
