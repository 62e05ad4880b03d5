import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from './support/eventually.ts';
import { type RunningLuna, startLuna, temporaryFolder } from './support/luna-process.ts';

/** How often Luna is killed. */
const rounds = 50;

const service = `#!/bin/sh
exec node -e "require('node:http').createServer((q, a) => a.end('here')).listen($1, '127.0.0.1'); setInterval(() => {}, 1000)"
`;

async function homeWithServices(): Promise<string> {
  const home = await temporaryFolder();
  for (const name of ['one', 'two']) {
    const folder = join(home, 'extensions', name, 'services', 'main');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'start.sh'), service);
  }
  await writeFile(join(home, 'master_config.json'), '{}');
  return home;
}

/** Changes the configuration over the API until it is killed. Returns the hubs whose making was acknowledged. */
async function makeHubs(running: RunningLuna, round: number, made: Set<string>): Promise<void> {
  const authorization = `Bearer ${(await running.env()).SUPERVISOR_API_TOKEN}`;
  for (let index = 0; ; index++) {
    const name = `hub-${round}-${index}`;
    try {
      const answer = await fetch(`${running.url}/api/supervisor/mcp-servers`, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json' },
        body: JSON.stringify({ name }),
      });
      if (answer.status !== 201) return;
      made.add(name);
    } catch {
      return; // Luna is dead.
    }
  }
}

/** Processes that were started for this home, by the folder in which they run. */
async function processesIn(home: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const folders = await Promise.all(pids.map((pid) => readlink(`/proc/${pid}/cwd`).catch(() => '')));
  return pids.filter((_pid, index) => folders[index]?.startsWith(`${home}/extensions`));
}

test.skipIf(process.platform !== 'linux')(
  `killed ${rounds} times at random, Luna keeps what it acknowledged, leaves nothing behind and touches no stranger`,
  async () => {
    const home = await homeWithServices();
    const stranger: ChildProcess = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {
      cwd: home,
      stdio: 'ignore',
    });
    onTestFinished(() => void stranger.kill('SIGKILL'));
    const made = new Set<string>();
    for (let round = 0; round < rounds; round++) {
      // Every third time the launcher and its server die at once, otherwise the server alone has no launcher at all.
      const running = await startLuna(home, round % 3 === 0 ? { command: 'start' } : {});
      const work = makeHubs(running, round, made);
      await pause(Math.random() * 250);
      const { pid } = JSON.parse(await readFile(join(home, '.luna', 'state.json'), 'utf8'));
      process.kill(pid, 'SIGKILL');
      await running.kill();
      await work;
      const config = JSON.parse(await readFile(join(home, 'master_config.json'), 'utf8'));
      for (const name of made) expect(config.mcp_servers, `round ${round}`).toHaveProperty(name);
    }
    expect(made.size).toBeGreaterThan(rounds / 2);
    const last = await startLuna(home);
    const { services } = await (await last.api('GET', 'services')).json();
    const pids: number[] = services.map((one: { pid: number }) => one.pid);
    await eventually(async () => expect((await processesIn(home)).sort()).toEqual(pids.sort()));
    expect(await last.stop()).toBe(0);
    expect(await processesIn(home)).toEqual([]);
    expect(stranger.exitCode).toBeNull();
  },
  600_000,
);
