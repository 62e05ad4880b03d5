import { fileURLToPath } from 'node:url';
import { firstMessage, type Launched, launch } from '../processes.ts';
import type { Upstream } from './target.ts';

const stdioScript = fileURLToPath(new URL('../upstream/stdio.ts', import.meta.url));
const httpScript = fileURLToPath(new URL('../upstream/http.ts', import.meta.url));

/** The fixture in its own process, the same for all that is measured. */
export interface RunningUpstream {
  readonly process: Launched;
  /** Its address with this many tools. */
  url(tools: number): string;
}

/** Starts the HTTP fixture. Throws when it does not say its port within ten seconds. */
export async function startUpstream(): Promise<RunningUpstream> {
  const process = launch('upstream', [httpScript], { ipc: true });
  const { port } = (await firstMessage(process, 10_000)) as { port: number };
  return { process, url: (tools) => `http://127.0.0.1:${port}/mcp/${tools}` };
}

/** How a hub starts the fixture over standard streams, with this many tools. */
export function stdioUpstream(tools: number): Upstream {
  return { kind: 'stdio', command: process.execPath, args: [stdioScript, String(tools)] };
}
