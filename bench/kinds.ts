// node bench/kinds.ts: what a call of a tool costs, by the kind of its source, beside the same work done directly.
// It needs the build (npm run build) and nothing else.
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { request } from 'undici';
import { createLuna } from '../packages/core/dist/control/index.js';

const seconds = Number(process.argv[2] ?? 3);
const callers = 8;

const server = createServer((_request, response) =>
  response.setHeader('content-type', 'application/json').end('{"n":1}'),
);
await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

const home = await mkdtemp(join(tmpdir(), 'luna-bench-'));
const script = 'if [ "$1" = --help ]; then echo "Usage: plugin_tool"; exit; fi\necho done\n';
const files: Record<string, string> = {
  'lua/lua_tool/main.lua': 'return 1',
  'lua/lua_tool/mcp_tool.json': '{"description":"x"}',
  'plugins/plugin_tool/cli.sh': script,
  'http/service.yaml': `base_url: ${url}\nallow_private_network: true\ntools: [{ name: http_tool, description: x, path: / }]\n`,
  'extensions/ts/tools/ts_tools.js':
    'export const TOOLS = [{ name: "extension_tool", description: "x", handler: () => "1" }];',
  'extensions/py/tools/py_tools.py': 'def python_tool(): return "1"\nTOOLS = [python_tool]\n',
};
for (const [path, text] of Object.entries(files)) {
  await mkdir(dirname(join(home, path)), { recursive: true });
  await writeFile(join(home, path), text);
}
const luna = await createLuna({ home, version: '0.0.0' });
await luna.start();

const call = (name: string) => () => luna.pipeline.call({ name, caller: { kind: 'bench' } });
const ran = (command: string, args: string[]) => () =>
  new Promise<void>((settle) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.resume();
    child.once('close', () => settle());
  });
const asked = async () => (await request(url)).body.json();

const measures: [
  name: string,
  tool: () => Promise<unknown>,
  directly: [what: string, work: () => Promise<unknown>] | undefined,
][] = [
  ['extension (JavaScript)', call('extension_tool'), undefined],
  ['extension (Python)', call('python_tool'), ['a Python of its own', ran('python3', ['-c', 'print(1)'])]],
  ['Lua', call('lua_tool'), undefined],
  ['HTTP', call('http_tool'), ['undici', asked]],
  ['plugin', call('plugin_tool'), ['spawn', ran('sh', [join(home, 'plugins/plugin_tool/cli.sh')])]],
];
console.log(
  `${callers} callers, ${seconds} s each\n\n| kind | calls/s | p99 ms | directly | calls/s | share |\n|---|---:|---:|---|---:|---:|`,
);
for (const [name, tool, direct] of measures) {
  const own = await measure(tool);
  const other = direct && (await measure(direct[1]));
  const share = other ? `${Math.round((own.rate / other.rate) * 100)} %` : '–';
  console.log(
    `| ${name} | ${Math.round(own.rate)} | ${own.p99.toFixed(1)} | ${direct?.[0] ?? '–'} | ${other ? Math.round(other.rate) : '–'} | ${share} |`,
  );
}
await luna.close();
server.closeAllConnections();
server.close();
await rm(home, { recursive: true, force: true });

async function measure(work: () => Promise<unknown>): Promise<{ rate: number; p99: number }> {
  for (let index = 0; index < 20; index++) await work();
  const times: number[] = [];
  const started = performance.now();
  const end = started + seconds * 1_000;
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (performance.now() < end) {
        const before = performance.now();
        await work();
        times.push(performance.now() - before);
      }
    }),
  );
  times.sort((one, other) => one - other);
  return {
    rate: times.length / ((performance.now() - started) / 1_000),
    p99: times[Math.floor(times.length * 0.99)] ?? 0,
  };
}
