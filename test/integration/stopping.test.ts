import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { identify } from '@luna/core/supervisor';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from './support/eventually.ts';
import { homeOf } from './support/homes.ts';
import { launchLuna, repository } from './support/luna-process.ts';

/** What is left when Luna is stopped at a bad moment. */

/** A process that has ended counts as gone even where nobody has asked how. */
const runs = async (pid: number) => (await identify(pid)) !== undefined;

/** The process that a program of the home wrote down; it is ended after the test in any case. */
async function pidIn(home: string, file: string): Promise<number> {
  const pid = await eventually(async () => {
    const text = await readFile(join(home, file), 'utf8');
    expect(text).toMatch(/^\d+\n$/);
    return Number(text);
  });
  onTestFinished(async () => {
    if (await runs(pid)) process.kill(pid, 'SIGKILL');
  });
  return pid;
}

test('a server that has not answered yet ends with Luna, also while Luna itself still starts', async () => {
  const home = await homeOf({
    'mute.mjs': `import { writeFileSync } from 'node:fs';
process.on('SIGTERM', () => undefined);
setInterval(() => undefined, 1_000);
writeFileSync('mute.pid', process.pid + '\\n');`,
  });
  const mute = { command: process.execPath, args: ['mute.mjs'], cwd: home };
  await writeFile(join(home, 'master_config.json'), JSON.stringify({ remote_mcp_servers: { mute } }));
  const launcher = join(repository, 'packages', 'server', 'bin', 'luna.mjs');
  const luna = spawn(process.execPath, [launcher, 'start', '--home', home, '--port', '0', '--json'], {
    stdio: 'ignore',
  });
  const exited = once(luna, 'exit');
  onTestFinished(() => void luna.kill('SIGKILL'));
  const pid = await pidIn(home, 'mute.pid');
  luna.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
  await eventually(async () => expect(await runs(pid)).toBe(false));
  expect(existsSync(join(home, '.luna', 'state.json'))).toBe(false);
});

test('what a server started in a session of its own ends with Luna', async () => {
  const home = await homeOf({
    'away.mjs': `import { spawn } from 'node:child_process';
const script = 'trap "" TERM; echo $$ > away.pid; while :; do sleep 1; done';
spawn('sh', ['-c', script], { detached: true, stdio: 'ignore' }).unref();
process.stdin.resume();`,
  });
  const away = { command: process.execPath, args: ['away.mjs'], cwd: home };
  await writeFile(join(home, 'master_config.json'), JSON.stringify({ remote_mcp_servers: { away } }));
  // It never answers, and nobody waits for it.
  const luna = await launchLuna(home, { isImpatient: true });
  const pid = await pidIn(home, 'away.pid');
  await luna.stop();
  await eventually(async () => expect(await runs(pid)).toBe(false));
});
