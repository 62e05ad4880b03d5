import { join } from 'node:path';
import { choosePort, Supervisor } from '@luna/core/supervisor';

// Keeps two programs running, with logs and a state file beside this file. No server, no Luna.
const here = import.meta.dirname;
const supervisor = await Supervisor.open({
  logsFolder: join(here, 'logs'),
  stateFile: join(here, 'logs', 'state.json'),
});

const port = await choosePort({ range: { from: 5400, to: 5499 }, taken: new Set() });
await supervisor.apply([
  {
    name: 'web',
    command: process.execPath,
    args: ['-e', `require('http').createServer((q, a) => a.end('hello')).listen(${port}, '127.0.0.1')`],
    cwd: here,
    port,
    health: { kind: 'http', url: `http://127.0.0.1:${port}/` },
  },
  // Dies every second, and is started again until that has happened too often.
  { name: 'clock', command: 'sh', args: ['-c', 'date; sleep 1; exit 1'], cwd: here },
]);
await supervisor.settled();

const show = async () => {
  for (const { name, status, pid, restarts, reason } of await supervisor.report())
    console.log(JSON.stringify({ name, status, pid, restarts, reason }));
};
await show();
setInterval(show, 1_000);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => supervisor.close().then(() => process.exit()));
