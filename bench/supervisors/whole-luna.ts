import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseEnv } from 'node:util';
import { freePort, launch } from '../processes.ts';
import { percentOf } from './measures.ts';

const command = fileURLToPath(new URL('../../packages/server/dist/cli/main.js', import.meta.url));

/** A whole Luna with so many services: what it takes while they idle, and how long the list of them takes. */
export async function wholeLuna(
  count: number,
  seconds: number,
  times: number,
): Promise<{ percent: number; listMs: number[] }> {
  if (!existsSync(command)) throw new Error('Luna is not built: run `npm run build`.');
  const home = await mkdtemp(join(tmpdir(), 'luna-bench-'));
  for (let index = 0; index < count; index++) {
    const folder = join(home, 'extensions', 'many', 'services', `service-${index}`);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'start.sh'), '#!/bin/sh\nexec sleep 100000\n');
    await writeFile(join(folder, 'service_config.json'), '{ "requires_port": false }\n');
  }
  const port = await freePort();
  const luna = launch('Luna', [command, 'start', '--home', home, '--port', String(port)]);
  try {
    const list = async () => {
      const { SUPERVISOR_API_TOKEN: token } = parseEnv(await readFile(join(home, '.env'), 'utf8'));
      const began = performance.now();
      const answer = await fetch(`http://127.0.0.1:${port}/api/supervisor/services`, {
        headers: { authorization: `Bearer ${token}` },
      });
      const { services } = (await answer.json()) as { services: { status: string }[] };
      const ms = performance.now() - began;
      return { ms, running: services.filter(({ status }) => status === 'running').length };
    };
    const end = performance.now() + 60_000;
    while ((await list().catch(() => undefined))?.running !== count) {
      if (performance.now() > end) throw new Error(`Luna did not start ${count} services: ${luna.lastWords()}`);
      await sleep(100);
    }
    const percent = await percentOf([luna.pid, ...childrenOf(luna.pid)], seconds);
    const listMs: number[] = [];
    for (let index = 0; index < times; index++) listMs.push((await list()).ms);
    return { percent, listMs };
  } finally {
    await luna.stop(20_000);
    await rm(home, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The launcher's server; the services are children of that. */
function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === pid;
      } catch {
        // Gone meanwhile.
        return false;
      }
    })
    .map(Number);
}
