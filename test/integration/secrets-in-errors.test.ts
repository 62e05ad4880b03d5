import { join } from 'node:path';
import { expect, test } from 'vitest';
import { clientKinds, connectHttp } from './support/clients.ts';
import { homeOf } from './support/homes.ts';
import { repository, startLuna } from './support/luna-process.ts';

const secret = 'correct-horse-battery-staple';

test.each(clientKinds)(
  'an error that quotes a secret of .env reaches clients of hubs without it (%s)',
  async (kind) => {
    const server = {
      command: process.execPath,
      args: [join(repository, 'test/integration/support/telling-server.ts')],
    };
    const luna = await startLuna(
      await homeOf({
        '.env': `UPSTREAM_KEY=${secret}\nAUTH_TOKEN=plain-token\n`,
        'master_config.json': JSON.stringify({
          remote_mcp_servers: { telling: { ...server, env: { KEY: '${UPSTREAM_KEY}' } } },
        }),
      }),
    );
    const client = await connectHttp(kind, luna);
    const error: Error = await client.call('tell').then(
      () => Promise.reject(new Error('It should have failed.')),
      (thrown) => thrown,
    );
    expect(error.message).toContain('The key is •••');
    expect(JSON.stringify(error)).not.toContain(secret);

    const plain = await fetch(`${luna.url}/mcp`, {
      method: 'POST',
      headers: { authorization: 'Bearer plain-token' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tell' }),
    });
    expect(plain.status).toBe(502);
    expect(await plain.text()).not.toContain(secret);
  },
);
