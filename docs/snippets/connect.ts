import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

const client = new Client({ name: 'my-program', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });
await client.connect(
  new StreamableHTTPClientTransport(new URL('http://127.0.0.1:8766/api/mcp-default'), {
    requestInit: { headers: { Authorization: `Bearer ${process.env.MCP_SERVER_DEFAULT_API_KEY}` } },
  }),
);
const { tools } = await client.listTools();
console.log(tools.map((tool) => tool.name));
console.log(await client.callTool({ name: 'text_count', arguments: { text: 'How many words are these?' } }));
await client.close();
