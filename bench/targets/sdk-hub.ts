import { fileURLToPath } from 'node:url';
import { freePort, launch } from '../processes.ts';
import { type Hub, type HubKind, untilReady } from './target.ts';

const script = fileURLToPath(new URL('sdk-hub-server.ts', import.meta.url));

/** The hub that anybody would write first with the MCP SDK; see `sdk-hub-server.ts`. */
export const sdkHub: HubKind = {
  name: 'SDK hub',
  missing: () => undefined,
  async start(upstream, profile) {
    if (upstream.kind !== 'http') throw new Error('The SDK hub takes an HTTP upstream only.');
    const port = await freePort();
    const began = performance.now();
    const process = launch('the SDK hub', [script, String(port), upstream.url], { profile });
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
