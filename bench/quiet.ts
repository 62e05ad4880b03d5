import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

/** Two quiet looks in a row, each this long in milliseconds, make a quiet machine. */
const lookMs = 100;
const quietShare = 0.1;
const longestWaitMs = 4_000;

/**
 * Waits before a measurement until the machine does next to nothing: some targets go on working for seconds after their
 * last answer, and that would be measured as slowness of the next one.
 */
export class QuietWatch {
  #leftMs: number;

  /** `budgetMs`: the longest time of all waits together, so that a busy machine does not make the run endless. */
  constructor(budgetMs: number) {
    this.#leftMs = budgetMs;
  }

  /** Waits for a quiet moment, for four seconds at most. Gives whether there was one. */
  async untilQuiet(): Promise<boolean> {
    const began = performance.now();
    const limitMs = Math.min(longestWaitMs, Math.max(this.#leftMs, 3 * lookMs));
    let quietLooks = 0;
    while (quietLooks < 2 && performance.now() - began < limitMs) {
      quietLooks = (await busyShare(lookMs)) <= quietShare ? quietLooks + 1 : 0;
    }
    this.#leftMs -= performance.now() - began;
    return quietLooks === 2;
  }
}

/** The share of all processors' time that was used in the next so many milliseconds. */
async function busyShare(overMs: number): Promise<number> {
  const before = cpuTimes();
  await sleep(overMs);
  const after = cpuTimes();
  return (after.busy - before.busy) / Math.max(1, after.total - before.total);
}

function cpuTimes(): { busy: number; total: number } {
  const times = cpus().map((cpu) => cpu.times);
  const total = times.reduce((sum, one) => sum + one.user + one.nice + one.sys + one.irq + one.idle, 0);
  return { total, busy: total - times.reduce((sum, one) => sum + one.idle, 0) };
}
