import type { CallFigures } from '../load/jobs.ts';
import { messageOf } from '../message-of.ts';
import { processorMicroseconds } from '../process-family.ts';
import type { QuietWatch } from '../quiet.ts';
import type { Settings } from '../settings.ts';
import { rotated, type Subject } from './subject.ts';

/** One measurement. */
export interface CallRound extends CallFigures {
  /** Processor time of the target's processes while it was driven, in microseconds for each call. */
  readonly processorPerCall: number;
  /** Whether nothing else kept the machine busy when it began. */
  readonly quiet: boolean;
}

/** All rounds of one subject at one number of callers. */
export interface CallSeries {
  readonly target: string;
  readonly callers: number;
  readonly rounds: CallRound[];
}

/** More than the time of the measurement itself: opening and closing sessions, and a target that hangs. */
const graceMs = 90_000;

/** Drives all subjects in turn, round by round. A subject that fails leaves a round of errors; the others go on. */
export async function measureCallRounds(
  subjects: readonly Subject[],
  settings: Settings,
  watch: QuietWatch,
): Promise<CallSeries[]> {
  const series = subjects.flatMap(({ name }) =>
    settings.callers.map((callers) => ({ target: name, callers, rounds: [] as CallRound[] })),
  );
  // A server in use is warm: its first seconds, in which its code is compiled, say little.
  for (const subject of subjects)
    await measure(subject, watch, Math.max(...settings.callers), 0, settings.firstWarmUpMs);
  for (let round = 0; round < settings.rounds; round += 1) {
    for (const callers of settings.callers) {
      for (const subject of rotated(subjects, round)) {
        const figures = await measure(subject, watch, callers, settings.warmUpMs, settings.measureMs);
        series.find((one) => one.target === subject.name && one.callers === callers)?.rounds.push(figures);
      }
    }
  }
  return series;
}

async function measure(
  subject: Subject,
  watch: QuietWatch,
  callers: number,
  warmUpMs: number,
  measureMs: number,
): Promise<CallRound> {
  const { endpoint, load, pid } = subject;
  const quiet = await watch.untilQuiet();
  const before = processorMicroseconds(pid);
  try {
    const limitMs = warmUpMs + measureMs + graceMs;
    const figures = await load.run<'calls'>({ kind: 'calls', endpoint, callers, warmUpMs, measureMs }, limitMs);
    return { ...figures, processorPerCall: (processorMicroseconds(pid) - before) / figures.answered, quiet };
  } catch (thrown) {
    return { ...noFigures, failures: { [messageOf(thrown)]: 1 }, quiet };
  }
}

const noFigures = { callsPerSecond: 0, p50: Number.NaN, p99: Number.NaN, answered: 0, processorPerCall: Number.NaN };
