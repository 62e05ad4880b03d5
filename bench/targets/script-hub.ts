import { fileURLToPath } from 'node:url';
import { freePort, launch } from '../processes.ts';
import { type Hub, type HubKind, untilReady } from './target.ts';

/** A hub that is a script of the bench, started with its port and the address of an HTTP upstream. */
export function scriptHub(name: string, script: string): HubKind {
  const file = fileURLToPath(new URL(script, import.meta.url));
  return {
    name,
    missing: () => undefined,
    async start(upstream, profile) {
      if (upstream.kind !== 'http') throw new Error(`The ${name} takes an HTTP upstream only.`);
      const port = await freePort();
      const began = performance.now();
      const process = launch(`the ${name}`, [file, String(port), upstream.url], { profile });
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
}
