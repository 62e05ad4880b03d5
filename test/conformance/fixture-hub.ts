import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { HubHttp, McpHub } from '@luna/core/hub';
import { McpSource } from '@luna/core/sources';
import { ToolRegistry } from '@luna/core/tools';

export interface Served {
  readonly url: string;
  close(): Promise<void>;
}

/** The fixture of the conformance suite as a process. */
export async function startFixture(): Promise<Served> {
  const main = fileURLToPath(new URL('../../packages/core/test/fixtures/conformance-server/main.ts', import.meta.url));
  const child: ChildProcess = spawn(process.execPath, [main], { stdio: ['ignore', 'pipe', 'inherit'] });
  if (!child.stdout) throw new Error('The fixture has no output.');
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  return {
    url: JSON.parse(String(line)).url,
    close: async () => {
      child.kill();
      await once(child, 'exit');
    },
  };
}

/** A hub whose only source is the server at this URL, as the suite drives it: without key, for this machine only. */
export async function startHub(upstream: string): Promise<Served> {
  const source = new McpSource({ id: 'fixture', target: { kind: 'http', url: new URL(upstream) } });
  await source.start();
  const registry = new ToolRegistry();
  registry.add(source);
  const hub = new McpHub({ name: 'conformance', registry });
  const http = new HubHttp(hub);
  const server = createServer((request, response) => {
    const { host, origin } = request.headers;
    if (!isLocal(host) || (origin !== undefined && !isLocal(new URL(origin).host)))
      return void response.writeHead(403).end();
    void http.handle(request, response);
  });
  await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle));
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}/mcp`,
    close: async () => {
      await http.close();
      hub.close();
      await source.close();
      server.closeAllConnections();
      server.close();
    },
  };
}

function isLocal(host: string | undefined): boolean {
  return host !== undefined && /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(host);
}

// Run by itself: fixture and hub until it is ended, to drive the suite by hand.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const fixture = await startFixture();
  const hub = await startHub(fixture.url);
  console.log(JSON.stringify({ direct: fixture.url, hub: hub.url }));
}
