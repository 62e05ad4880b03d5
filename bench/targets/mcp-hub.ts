import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, launch } from '../processes.ts';
import { type Hub, type HubKind, untilReady } from './target.ts';
import { withTemporaryFolder } from './temporary-folder.ts';

const command = fileURLToPath(new URL('../node_modules/mcp-hub/dist/cli.js', import.meta.url));

/** mcp-hub does not end while clients were connected a moment ago; there is nothing in it to wait for. */
const stopLimitMs = 1_000;

/** mcp-hub from npm, as its README says: one config file, and clients on `/mcp`, which speaks HTTP+SSE. */
export const mcpHub: HubKind = {
  name: 'mcp-hub',
  missing: () => undefined,
  start: (upstream, profile) =>
    withTemporaryFolder(async (folder, remove) => {
      const { kind: _kind, ...server } = upstream;
      const config = join(folder, 'config.json');
      await writeFile(config, JSON.stringify({ mcpServers: { bench: server } }));
      await keepOffline(folder);
      const port = await freePort();
      const began = performance.now();
      const process = launch('mcp-hub', [command, '--port', String(port), '--config', config], {
        profile,
        env: { HOME: folder, XDG_DATA_HOME: folder, XDG_STATE_HOME: folder, XDG_CONFIG_HOME: folder },
      });
      try {
        await untilReady(process, `http://127.0.0.1:${port}/api/health`, isReady);
        return {
          endpoint: { transport: 'sse', url: `http://127.0.0.1:${port}/mcp`, headers: {} },
          process,
          readyMs: performance.now() - began,
          stop: () => process.stop(stopLimitMs).then(remove),
        } satisfies Hub;
      } catch (thrown) {
        await process.stop();
        throw thrown;
      }
    }),
};

/** A fresh cache of its marketplace spares it the download that would otherwise be part of its cold start. */
async function keepOffline(folder: string): Promise<void> {
  const cache = join(folder, 'mcp-hub', 'cache');
  await mkdir(cache, { recursive: true });
  const registry = { version: 'bench', generatedAt: Date.now(), totalServers: 0, servers: [] };
  await writeFile(
    join(cache, 'registry.json'),
    JSON.stringify({ registry, lastFetchedAt: Date.now(), serverDocumentation: {} }),
  );
}

function isReady(status: number, text: string): boolean {
  if (status !== 200) return false;
  const { state, servers } = JSON.parse(text) as { state: string; servers: { status: string }[] };
  return state === 'ready' && servers.length === 1 && servers.every((server) => server.status === 'connected');
}
