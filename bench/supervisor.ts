// node bench/supervisor.ts [rounds] [seconds of idling]: how soon @luna/core/supervisor has services up, and up again, beside PM2 and
// supervisord; and what it takes while a hundred of them idle. It needs the build (npm run build), `npm ci` in bench, and
// Debian's package supervisor. Those that are missing are left out, and said to be.
import { cpus, loadavg } from 'node:os';
import { stopAll } from './processes.ts';
import { luna } from './supervisors/luna.ts';
import { idlePercent, noticeAndReport, type StartAndRestarts, startAndRestart } from './supervisors/measures.ts';
import { pm2 } from './supervisors/pm2.ts';
import { supervisord } from './supervisors/supervisord.ts';
import { wholeLuna } from './supervisors/whole-luna.ts';
import { markdownTable, number } from './table.ts';

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)
  process.once(signal, () => void stopAll().finally(() => process.exit(code)));

const rounds = Number(process.argv[2] ?? 5);
const counts = { services: 20, idle: 100, idleSeconds: Number(process.argv[3] ?? 30), asked: 20 };

const kinds = [luna, pm2, supervisord].filter((kind) => {
  const why = kind.missing();
  if (why !== undefined) console.error(`NOT MEASURED: ${kind.name}. ${why}`);
  return why === undefined;
});
const load = () => loadavg()[0] ?? 0;
const loads = [load()];

try {
  const starts = new Map<string, StartAndRestarts[]>(kinds.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    // Each is the first one at times.
    for (let at = 0; at < kinds.length; at++) {
      const kind = kinds[(at + round) % kinds.length];
      if (!kind) continue;
      const result = await startAndRestart(kind, counts.services);
      starts.get(kind.name)?.push(result);
      const { readyMs, afterCrashMs, askedMs } = result;
      console.error(`${kind.name}: ${[readyMs, median(afterCrashMs), median(askedMs)].map(Math.round).join(', ')} ms`);
    }
  }
  loads.push(load());
  const idle = new Map<string, number>();
  for (const kind of kinds) {
    console.error(`${kind.name}: ${counts.idle} services that idle ...`);
    idle.set(kind.name, await idlePercent(kind, counts.idle, counts.idleSeconds));
  }
  const { noticedMs, reportMs } = await noticeAndReport(luna, counts.idle, counts.asked);
  const whole = await wholeLuna(counts.idle, counts.idleSeconds, counts.asked);
  loads.push(load());

  console.log(
    `${cpus().length} cores, Node ${process.versions.node}, load ${loads.map((one) => one.toFixed(1)).join(', ')}\n`,
  );
  console.log(
    markdownTable(
      [
        '',
        `${counts.services} services ready ms`,
        'after a crash ms',
        'restart ms',
        `${counts.idle} idle, % of a core`,
      ],
      kinds.map(({ name }) => {
        const results = starts.get(name) ?? [];
        return [
          name,
          number(median(results.map(({ readyMs }) => readyMs))),
          number(median(results.flatMap(({ afterCrashMs }) => afterCrashMs)), 1),
          number(median(results.flatMap(({ askedMs }) => askedMs)), 1),
          number(idle.get(name) ?? Number.NaN, 2),
        ];
      }),
    ),
  );
  const figures = (values: readonly number[]) => [number(median(values), 1), number(Math.max(...values), 1)];
  console.log(
    `\n${markdownTable(
      [`with ${counts.idle} services`, 'median', 'worst'],
      [
        ['a death is noticed, ms', ...figures(noticedMs)],
        ['`report()`, ms', ...figures(reportMs)],
        ['`GET /api/supervisor/services`, ms', ...figures(whole.listMs)],
        ['a whole Luna, % of a core', number(whole.percent, 2), ''],
      ],
    )}`,
  );
} finally {
  await stopAll();
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2;
}
