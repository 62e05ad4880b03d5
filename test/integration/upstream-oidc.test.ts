import { expect, test } from 'vitest';
import { homeOf } from './support/homes.ts';
import { startLuna } from './support/luna-process.ts';
import { startOidcProtectedServer } from './support/oidc-server.ts';

test('an authorization server of another make: registration, consent, renewal over a restart, and revocation', async () => {
  const server = await startOidcProtectedServer();
  const config = { remote_mcp_servers: { guarded: { url: server.mcp.url.href } } };
  const luna = await startLuna(await homeOf({ 'master_config.json': JSON.stringify(config) }));
  const { url } = await (await luna.api('POST', 'remote-mcp/guarded/authorize')).json();
  const back = await fetch(await server.agree(url, luna.url));
  expect([back.status, await back.text()]).toEqual([200, expect.stringContaining('authorized at "guarded"')]);

  const echo = async (running: typeof luna) => {
    const answer = await running.api('POST', 'tools/call', { name: 'echo', args: { text: 'hi' } });
    return (await answer.json()).result.content[0].text;
  };
  expect(await echo(luna)).toBe('hi');
  const [first = ''] = server.seen;
  await server.expire(first);
  expect(await echo(luna)).toBe('hi');
  expect(server.seen.size).toBe(2);

  await luna.stop();
  const again = await startLuna(luna.home);
  expect(await echo(again)).toBe('hi');
  const latest = [...server.seen].at(-1) ?? '';
  expect(await server.isValid(latest)).toBe(true);
  expect((await again.api('DELETE', 'remote-mcp/guarded/authorize')).status).toBe(204);
  expect(await server.isValid(latest)).toBe(false);
  const [listed] = (await (await again.api('GET', 'remote-mcp/list')).json()).servers;
  expect(listed).toMatchObject({ authorized: false, health: { status: 'needs_authorization' } });
});
