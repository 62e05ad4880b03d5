import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseEnv } from 'node:util';
import { freePort, launch } from '../processes.ts';
import { type Hub, type HubKind, type Upstream, untilReady } from './target.ts';
import { withTemporaryFolder } from './temporary-folder.ts';

const command = fileURLToPath(new URL('../../packages/server/dist/cli/main.js', import.meta.url));

/** Luna as a person runs it: `luna start` with a home of its own and the fixture as a remote MCP server. */
export const luna: HubKind = {
  name: 'Luna',
  missing: () =>
    existsSync(command) ? undefined : 'packages/server/dist/cli/main.js is not there: run `npm run build`.',
  start: (upstream, profile) =>
    withTemporaryFolder(async (home, remove) => {
      await writeFile(join(home, 'master_config.json'), JSON.stringify({ remote_mcp_servers: serversOf(upstream) }));
      const port = await freePort();
      const began = performance.now();
      const process = launch('Luna', [command, 'start', '--home', home, '--port', String(port)], { profile });
      try {
        await untilReady(process, `http://127.0.0.1:${port}/readyz`, (status) => status === 200);
        const readyMs = performance.now() - began;
        const key = parseEnv(await readFile(join(home, '.env'), 'utf8')).MCP_SERVER_DEFAULT_API_KEY;
        if (key === undefined) throw new Error("Luna's .env holds no MCP_SERVER_DEFAULT_API_KEY.");
        return {
          endpoint: {
            transport: 'streamable-http',
            url: `http://127.0.0.1:${port}/api/mcp-default`,
            headers: { authorization: `Bearer ${key}` },
          },
          process,
          readyMs,
          stop: () => process.stop().then(remove),
        } satisfies Hub;
      } catch (thrown) {
        await process.stop();
        throw thrown;
      }
    }),
};

/** The entries of `master_config.json`. */
function serversOf(upstream: Upstream): Record<string, object> {
  if (upstream.kind === 'stdio') return { bench: { command: upstream.command, args: upstream.args } };
  const { url, copies = 1 } = upstream;
  return Object.fromEntries(Array.from({ length: copies }, (_, index) => [`bench${index || ''}`, { url }]));
}
