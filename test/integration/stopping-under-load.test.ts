import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { identify } from '@luna/core/supervisor';
import { expect, test } from 'vitest';
import { clientKinds, connectHttp } from './support/clients.ts';
import { eventually } from './support/eventually.ts';
import { homeOf, stdioServer } from './support/homes.ts';
import { launchLuna, type RunningLuna, startLuna, temporaryFolder } from './support/luna-process.ts';

/**
 * SIGTERM while Luna is busy (RELIABILITY D15), and a child that does not listen to it (D8). An end that takes longer than
 * 10 s is cut short by Luna itself, with exit code 1: code 0 says that it was in time.
 */

/** Writes a line when it has begun. */
const slow = (file: string) => `import { appendFileSync } from 'node:fs';
export const TOOLS = [{ name: 'slow', description: 'Takes its time.', handler: () => {
  appendFileSync(${JSON.stringify(file)}, 'begun\\n');
  return new Promise((settle) => setTimeout(() => settle('done'), 60_000));
} }];\n`;
const idle = 'process.on("SIGTERM", () => process.exit(0)); setInterval(() => {}, 1000);';
const deaf = 'process.on("SIGTERM", () => {}); console.log("up"); setInterval(() => {}, 1000);';

async function busyLuna(services: Readonly<Record<string, string>>, begun = ''): Promise<RunningLuna> {
  const files = Object.entries(services).flatMap(([name, code]) => [
    [`extensions/slow/services/${name}/program.cjs`, code],
    [`extensions/slow/services/${name}/start.sh`, `exec ${process.execPath} program.cjs\n`],
    [`extensions/slow/services/${name}/service_config.json`, '{ "requires_port": false }'],
  ]);
  const home = await homeOf({
    'extensions/slow/tools/slow_tools.js': slow(begun),
    'master_config.json': JSON.stringify({ remote_mcp_servers: { server: stdioServer } }),
    ...Object.fromEntries(files),
  });
  const running = await launchLuna(home);
  await eventually(async () => {
    for (const { status } of await servicesOf(running)) expect(status).toBe('running');
  });
  return running;
}

async function servicesOf(running: RunningLuna): Promise<{ name: string; status: string; pid: number }[]> {
  return (await (await running.api('GET', 'services')).json()).services;
}

async function openStream(running: RunningLuna): Promise<{ ended: Promise<void> }> {
  const { SUPERVISOR_API_TOKEN: token } = await running.env();
  const answer = await fetch(`${running.url}/api/supervisor/events`, { headers: { authorization: `Bearer ${token}` } });
  expect(answer.status).toBe(200);
  const read = async () => {
    for await (const _ of answer.body ?? []);
  };
  return { ended: read().catch(() => undefined) };
}

test('with calls under way, streams open and services running it ends in order within 10 s', async () => {
  const begun = join(await temporaryFolder(), 'begun');
  const running = await busyLuna({ one: idle, two: idle, three: idle }, begun);
  const pids = (await servicesOf(running)).map(({ pid }) => pid);
  expect(pids).toHaveLength(3);
  const calls = Array.from({ length: 20 }, (_, index) =>
    running
      .api('POST', 'tools/call', { name: index % 2 === 0 ? 'slow' : 'wait' })
      .then(async (answer) => ({ status: answer.status, body: await answer.json() })),
  );
  const outcomes = Promise.allSettled(calls);
  const streams = await Promise.all(Array.from({ length: 10 }, () => openStream(running)));
  await eventually(async () => expect(await readFile(begun, 'utf8')).toBe('begun\n'.repeat(10)));
  expect(await running.stop()).toBe(0);
  // Nobody is left waiting: each call has an answer that says what happened, or a connection that has ended.
  for (const outcome of await outcomes)
    if (outcome.status === 'fulfilled') expect(outcome.value.status).toBeGreaterThanOrEqual(500);
  await Promise.all(streams.map(({ ended }) => ended));
  for (const pid of pids) expect(await identify(pid)).toBeUndefined();
  const log = (await readFile(join(running.home, 'logs', 'luna.log'), 'utf8')).trim().split('\n');
  expect(JSON.parse(log.at(-1) ?? '{}')).toMatchObject({ msg: 'stopped' });
});

test.each(clientKinds)('a call that takes no longer comes to its end, and is answered (%s)', async (kind) => {
  const folder = await temporaryFolder();
  const [begun, end] = [join(folder, 'begun'), join(folder, 'end')];
  const tools = `import { writeFileSync, existsSync } from 'node:fs';
export const TOOLS = [{ name: 'short', description: 'Waits for a file.', handler: async () => {
  writeFileSync(${JSON.stringify(begun)}, '');
  while (!existsSync(${JSON.stringify(end)})) await new Promise((settle) => setTimeout(settle, 10));
  return 'came to its end';
} }];`;
  const running = await startLuna(await homeOf({ 'extensions/short/tools/short_tools.js': tools }));
  const client = await connectHttp(kind, running);
  const call = client.call('short');
  await eventually(async () => expect(existsSync(begun)).toBe(true));
  const stopped = running.stop();
  await eventually(async () => expect((await fetch(`${running.url}/readyz`)).status).toBe(503));
  await writeFile(end, '');
  expect(await call).toMatchObject({ content: [{ text: 'came to its end' }] });
  expect(await stopped).toBe(0);
});

test('a service that does not listen to SIGTERM is killed early enough for Luna to end in order within 10 s', async () => {
  const running = await busyLuna({ deaf });
  const [service] = await servicesOf(running);
  expect(await running.stop()).toBe(0);
  expect(await identify(service?.pid ?? 0)).toBeUndefined();
});

test('stopped by hand, a service that does not listen to SIGTERM is killed', async () => {
  const running = await busyLuna({ deaf });
  const [service] = await servicesOf(running);
  expect((await running.api('POST', `services/${service?.name}/stop`)).status).toBe(200);
  expect(await identify(service?.pid ?? 0)).toBeUndefined();
});
