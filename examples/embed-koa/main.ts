import { HubHttp, McpHub } from '@luna/core/hub';
import { McpSource } from '@luna/core/sources';
import { ToolRegistry } from '@luna/core/tools';
import Koa from 'koa';

// The tools of an MCP server that is started here …
const registry = new ToolRegistry();
const files = new McpSource({
  id: 'files',
  target: { kind: 'stdio', command: 'mcp-server-filesystem', args: ['.'], cwd: import.meta.dirname },
});
registry.add(files);
await files.start();

// … as a hub of one's own Koa app, at /mcp.
const hub = new HubHttp(new McpHub({ name: 'files', registry }));
const app = new Koa();
app.use(async (ctx, next) => {
  if (ctx.path !== '/mcp') return next();
  ctx.respond = false;
  await hub.handle(ctx.req, ctx.res);
});
app.use((ctx) => {
  ctx.body = 'Any other page of the app.';
});
const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  console.log(`Hub at ${JSON.stringify(server.address())}`);
});
