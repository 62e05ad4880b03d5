import { fileURLToPath } from 'node:url';
import { freePort, launch } from '../processes.ts';
import { type Hub, type HubKind, untilReady } from './target.ts';

const script = fileURLToPath(new URL('relay-server.ts', import.meta.url));

/** No hub, but what a hub cannot be faster than; see `relay-server.ts`. Its calls are measured, and nothing else. */
export const relay: HubKind = {
  name: 'bare relay',
  missing: () => undefined,
  async start(upstream, profile) {
    if (upstream.kind !== 'http') throw new Error('The relay takes an HTTP upstream only.');
    const port = await freePort();
    const began = performance.now();
    const process = launch('the relay', [script, String(port), upstream.url], { profile });
    try {
      await untilReady(process, `http://127.0.0.1:${port}/health`, (status) => status === 200);
      return {
        endpoint: { transport: 'streamable-http', url: `http://127.0.0.1:${port}/mcp`, headers: {} },
        process,
        readyMs: performance.now() - began,
        stop: () => process.stop(),
      } satisfies Hub;
    } catch (thrown) {
      await process.stop();
      throw thrown;
    }
  },
};
