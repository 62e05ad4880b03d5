import { expect, test } from 'vitest';
import { clientKinds, connectHttp } from './support/clients.ts';
import { homeOf } from './support/homes.ts';
import { startLuna } from './support/luna-process.ts';

const search = `export const TOOLS = [{
  name: 'search', description: 'Searches.',
  input: { type: 'object', properties: { query: { type: 'string' }, tenant: { type: 'string' } }, required: ['query', 'tenant'] },
  handler: (args) => args,
}];`;

test.each(clientKinds)('a hub shows a tool otherwise, live, to %s', async (kind) => {
  const luna = await startLuna(
    await homeOf({
      'extensions/a/tools/a_tools.js': search,
      'master_config.json': '{"luna":{"plain_hub":"default"},"mcp_servers":{"default":{},"other":{}}}',
      '.env': 'AUTH_TOKEN=a-token-for-tests\n',
    }),
  );
  const client = await connectHttp(kind, luna);
  const other = await connectHttp(kind, luna, 'other');
  const changed = client.nextListChange();
  const override = { name: 'find', description: 'Finds.', arguments: { tenant: { fixed: 'ours' } } };
  const answer = await luna.api('PATCH', 'mcp-servers/default', { tool_config: { search: override } });
  expect(answer.status).toBe(200);
  await changed;
  expect(await client.tools()).toMatchObject([
    { name: 'find', inputSchema: { type: 'object', properties: { query: { type: 'string' } }, required: ['query'] } },
  ]);
  expect((await client.call('find', { query: 'x' })).structuredContent).toEqual({ query: 'x', tenant: 'ours' });
  await expect(client.call('search', { query: 'x', tenant: 'theirs' })).rejects.toThrow(/Unknown tool/);
  await expect(client.call('find', { query: 'x', tenant: 'theirs' })).rejects.toThrow(/no argument "tenant"/);
  expect((await other.tools()).map(({ name }) => name)).toEqual(['search']);

  const plain = await fetch(`${luna.url}/mcp`, {
    method: 'POST',
    headers: { authorization: 'Bearer a-token-for-tests' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'find', params: { query: 'x' } }),
  });
  expect((await plain.json()).result.structuredContent).toEqual({ query: 'x', tenant: 'ours' });
  const illegal = await luna.api('PATCH', 'mcp-servers/default', { tool_config: { search: { name: 'two words' } } });
  expect(illegal.status).toBe(400);
});
