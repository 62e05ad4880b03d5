import { describe, expect, test } from 'vitest';
import { fixedTool, homeOf } from './support/homes.ts';
import { type RunningLuna, startLuna } from './support/luna-process.ts';

const list = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: {} });

function ask(luna: RunningLuna, path: string, authorization: string | undefined, more: Record<string, string> = {}) {
  return fetch(`${luna.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(authorization && { authorization }), ...more },
    body: list,
  });
}

async function guess(luna: RunningLuna, count: number, more: (index: number) => Record<string, string> = () => ({})) {
  const statuses: number[] = [];
  for (let index = 0; index < count; index++)
    statuses.push((await ask(luna, '/api/mcp-default', `Bearer wrong-${index}`, more(index))).status);
  return statuses;
}

async function lunaWith(config: object = {}) {
  return startLuna(
    await homeOf({
      'extensions/a/tools/a_tools.js': fixedTool('a', 'A'),
      'master_config.json': JSON.stringify(config),
    }),
  );
}

describe('who guesses keys', () => {
  test('is kept out after 20 tries, whatever the headers say; who has the right key is not', async () => {
    const luna = await lunaWith();
    const statuses = await guess(luna, 22, (index) => ({
      'x-forwarded-for': `203.0.113.${index}`,
      'x-real-ip': `203.0.113.${index}`,
      forwarded: `for=203.0.113.${index}`,
    }));
    expect(statuses).toEqual([...Array(20).fill(401), 429, 429]);

    const refused = await ask(luna, '/api/mcp-default', 'Bearer wrong');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await refused.json()).error.code).toBe('limit_exceeded');
    expect((await ask(luna, '/api/mcp-default', undefined)).status).toBe(429);
    expect((await ask(luna, '/api/mcp-unknown', 'Bearer wrong')).status).toBe(429);

    const wrongToken = await fetch(`${luna.url}/api/supervisor/status`, { headers: { authorization: 'Bearer wrong' } });
    expect(wrongToken.status).toBe(429);
    expect(wrongToken.headers.has('retry-after')).toBe(true);
    const signIn = (token: string) =>
      fetch(`${luna.url}/auth/once`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: luna.url },
        body: JSON.stringify({ token }),
      });
    expect((await signIn('wrong')).status).toBe(429);

    expect((await ask(luna, '/api/mcp-default', `Bearer ${await luna.hubKey()}`)).status).not.toBe(429);
    expect((await luna.api('GET', 'status')).status).toBe(200);
    expect((await signIn(new URL(luna.signInLink).hash.replace('#token=', ''))).status).toBe(204);
  });

  test('is told apart by the proxy that the owner has named', async () => {
    const luna = await lunaWith({ luna: { trusted_proxies: ['127.0.0.1', '10.0.0.0/8'] } });
    const from = (address: string) => () => ({ 'x-forwarded-for': address });
    // What the client itself put in front of the proxy's entry counts for nothing.
    expect(await guess(luna, 21, (index) => ({ 'x-forwarded-for': `1.2.3.${index}, 203.0.113.7` }))).toContain(429);
    expect(await guess(luna, 1, from('203.0.113.8'))).toEqual([401]);
    expect(await guess(luna, 1, from('203.0.113.7, 10.1.2.3'))).toEqual([429]);
    // One network of IPv6 is one guesser.
    expect(await guess(luna, 21, (index) => ({ 'x-forwarded-for': `2001:db8:1:2::${index}` }))).toContain(429);
    expect(await guess(luna, 1, from('2001:db8:1:3::1'))).toEqual([401]);
  });

  test('a proxy that is no address is refused in the configuration', async () => {
    const luna = await lunaWith();
    const config = await (await luna.api('GET', 'config/master')).json();
    config.luna.trusted_proxies = ['everyone'];
    expect((await luna.api('PUT', 'config/master', config)).status).toBe(400);
  });
});
