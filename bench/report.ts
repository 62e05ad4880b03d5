import type { CallSeries } from './measures/calls.ts';
import { direct } from './measures/subject.ts';
import { median, type Results } from './results.ts';
import { markdownTable, number, percent, times } from './table.ts';

/** The run as text: tables, ratios, what was skipped and what went wrong. */
export function report(results: Results): string {
  const { machine, settings } = results;
  const parts = [
    `${machine.cores} cores, Node ${machine.node.slice(1)}, ${machine.system}; medians of ${settings.rounds} rounds of ${settings.seconds} s.`,
    ...distinct(results.calls.map((one) => one.callers)).map((callers) => callTable(results.calls, callers)),
    ...(results.calls.length > 0 ? [ratios(results.calls)] : []),
    ...(results.sizes.length > 0 ? [sizeTable(results.sizes)] : []),
    ...(results.lists.length > 0 ? [listTable(results)] : []),
    ...(results.starts.length > 0 ? [startTable(results)] : []),
    ...Object.entries(results.skipped).map(([target, reason]) => `NOT MEASURED: ${target}. ${reason}`),
    ...noise(results),
    failures(results),
  ];
  return parts.join('\n\n');
}

function callTable(series: readonly CallSeries[], callers: number): string {
  const title = `tools/call, ${callersText(callers)}`;
  const rows = series
    .filter((one) => one.callers === callers)
    .map(({ target, rounds }) => [
      target,
      number(median(rounds.map((round) => round.callsPerSecond))),
      percent(ratio(series, target, direct, callers)),
      number(median(rounds.map((round) => round.p50)), 2),
      number(median(rounds.map((round) => round.p99)), 2),
      number(median(rounds.map((round) => round.processorPerCall))),
      String(sum(rounds.map((round) => round.failures))),
    ]);
  return markdownTable([title, 'calls/s', 'of direct', 'p50 ms', 'p99 ms', 'CPU µs/call', 'errors'], rows);
}

function callersText(callers: number): string {
  return `${callers} caller${callers === 1 ? '' : 's'}`;
}

/** The median of the rounds' ratios: each round compares figures that were taken close together. */
export function ratio(series: readonly CallSeries[], target: string, to: string, callers: number): number {
  const [over, under] = [target, to].map(
    (name) => series.find((one) => one.target === name && one.callers === callers)?.rounds ?? [],
  );
  return median(
    (over ?? []).map((round, index) => round.callsPerSecond / (under?.[index]?.callsPerSecond || Number.NaN)),
  );
}

function ratios(series: readonly CallSeries[]): string {
  const callers = distinct(series.map((one) => one.callers));
  const pairs = [
    ['Luna', 'bare relay'],
    ['Luna', 'mcp-hub'],
    ['Luna', 'SDK hub'],
    ['Luna (stdio)', 'mcp-hub (stdio)'],
  ] as const;
  const rows = pairs.map(([over, under]) => [
    `${over} ÷ ${under}`,
    ...callers.map((count) => times(ratio(series, over, under, count))),
  ]);
  return markdownTable(['calls/s', ...callers.map(callersText)], rows);
}

/** Rates beside the one with few tools, which comes first after the upstream itself. */
function sizeTable(series: readonly CallSeries[]): string {
  const callers = distinct(series.map((one) => one.callers));
  const [few, ...rest] = distinct(series.map((one) => one.target)).filter((target) => target !== direct);
  const rate = (target: string, count: number) =>
    median(series.find((one) => one.target === target && one.callers === count)?.rounds.map(rateOf) ?? []);
  const rows = [few, ...rest].flatMap((target) =>
    target === undefined || few === undefined
      ? []
      : [
          [
            target === few ? `${few}, 10 tools` : target,
            ...callers.flatMap((count) => [
              number(rate(target, count)),
              times(target === few ? 1 : ratio(series, target, few, count)),
            ]),
          ],
        ],
  );
  return markdownTable(['calls/s', ...callers.flatMap((count) => [callersText(count), 'of 10 tools'])], rows);
}

function rateOf({ callsPerSecond }: CallSeries['rounds'][number]): number {
  return callsPerSecond;
}

function listTable({ lists }: Results): string {
  const counts = distinct(lists.map((one) => one.tools));
  const time = (target: string, tools: number) =>
    median(lists.find((one) => one.target === target && one.tools === tools)?.times ?? []);
  const rows = distinct(lists.map((one) => one.target)).map((target) => [
    target,
    ...counts.flatMap((tools) => [number(time(target, tools), 1), times(time(target, tools) / time(direct, tools))]),
  ]);
  return markdownTable(['tools/list', ...counts.flatMap((tools) => [`${number(tools)} tools: ms`, 'of direct'])], rows);
}

function startTable({ starts, settings }: Results): string {
  const megabyte = 1024 * 1024;
  const [few, many] = settings.idleSessions;
  const rows = starts.map((one) => {
    const grown = (many: readonly number[], few: readonly number[]) =>
      median(many.map((bytes, round) => bytes - (few[round] ?? Number.NaN)));
    return [
      one.target,
      number(median(one.readyMs)),
      number(median(one.firstCallMs)),
      number(median(one.idleBytes) / megabyte),
      number(median(one.fewSessionsBytes) / megabyte),
      number(median(one.manySessionsBytes) / megabyte),
      number(grown(one.manySessionsBytes, one.fewSessionsBytes) / (many - few) / 1024),
      number(grown(one.manyBareBytes, one.fewBareBytes) / (many - few) / 1024),
    ];
  });
  const head = [
    'start',
    'ready ms',
    'first call ms',
    'idle MB',
    `${few} sessions MB`,
    `${number(many)} sessions MB`,
    'kB/session',
    'without stream',
  ];
  return markdownTable(head, rows);
}

function noise({ calls, sizes }: Results): string[] {
  const rounds = [...calls, ...sizes].flatMap((one) => one.rounds);
  const noisy = rounds.filter((round) => !round.quiet).length;
  if (noisy === 0) return [];
  return [`NOT QUIET: something else kept the machine busy before ${noisy} of ${rounds.length} measurements of calls.`];
}

function failures(results: Results): string {
  const lines = [
    ...results.calls.flatMap((one) =>
      one.rounds.flatMap((round) => described(`${one.target}, ${callersText(one.callers)}`, round.failures)),
    ),
    ...results.sizes.flatMap((one) =>
      one.rounds.flatMap((round) => described(`${one.target}, ${callersText(one.callers)}`, round.failures)),
    ),
    ...results.lists.flatMap((one) => described(`${one.target}, ${one.tools} tools`, one.failures)),
    ...results.starts.flatMap((one) => described(`${one.target}, start`, one.failures)),
  ];
  return lines.length === 0 ? 'Every answer was checked; no errors.' : ['ERRORS:', ...lines].join('\n');
}

function described(where: string, counts: Readonly<Record<string, number>>): string[] {
  return Object.entries(counts).map(([message, count]) => `- ${where}: ${count} × ${message}`);
}

function sum(counts: readonly Readonly<Record<string, number>>[]): number {
  return counts.flatMap((one) => Object.values(one)).reduce((total, count) => total + count, 0);
}

function distinct<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
