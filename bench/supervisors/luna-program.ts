// A supervisor of Luna's by itself, without a server: node luna-program.ts <folder> <port> ...
// It answers messages: {restart: i}, {notice: i} (kills a process and tells how soon that was noticed), {report: true}.
import { join } from 'node:path';
import { Supervisor } from '../../packages/core/dist/supervisor/index.js';
import { python, serviceArgs } from './target.ts';

const [folder = '', ...ports] = process.argv.slice(2);
let onChange: () => void = () => undefined;
const supervisor = await Supervisor.open({
  logsFolder: join(folder, 'logs'),
  stateFile: join(folder, 'state.json'),
  onChange: () => onChange(),
});
await supervisor.apply(
  ports.map((port) => ({
    name: nameOf(port),
    command: python,
    args: serviceArgs(Number(port)),
    cwd: folder,
    port: Number(port),
    health: { kind: 'tcp', port: Number(port) },
  })),
);
process.on('message', async (message: { restart?: number; notice?: number; report?: boolean }) => {
  if (message.restart !== undefined) await supervisor.restart(nameOf(ports[message.restart]));
  else if (message.notice !== undefined) process.send?.({ ms: await noticed(nameOf(ports[message.notice])) });
  else if (message.report) {
    const began = performance.now();
    const services = await supervisor.report();
    process.send?.({ ms: performance.now() - began, services: services.length });
  }
});
process.once('SIGTERM', async () => {
  await supervisor.close();
  process.disconnect?.();
});
await supervisor.settled();
process.send?.({ settled: true });

function nameOf(port: string | undefined): string {
  return `service-${port}`;
}

/** Milliseconds from the death of a process until its state is another one. */
function noticed(name: string): Promise<number> {
  const pid = supervisor.state(name)?.pid ?? 0;
  return new Promise((settle) => {
    const began = performance.now();
    onChange = () => {
      if (supervisor.state(name)?.status === 'running') return;
      onChange = () => undefined;
      settle(performance.now() - began);
    };
    process.kill(pid, 'SIGKILL');
  });
}
