import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { CallSeries } from './measures/calls.ts';
import type { ListSeries } from './measures/lists.ts';
import type { StartSeries } from './measures/starts.ts';
import type { Settings } from './settings.ts';

/** All that one run measured. */
export interface Results {
  readonly at: string;
  readonly machine: { readonly cores: number; readonly node: string; readonly system: string };
  readonly settings: {
    readonly rounds: number;
    readonly seconds: number;
    readonly idleSessions: Settings['idleSessions'];
  };
  /** Targets that were left out, with the reason. */
  readonly skipped: Record<string, string>;
  readonly calls: CallSeries[];
  /** Calls through Luna with many tools and many servers behind it. */
  readonly sizes: CallSeries[];
  readonly lists: ListSeries[];
  readonly starts: StartSeries[];
}

export function thisMachine(): Results['machine'] {
  return { cores: availableParallelism(), node: process.version, system: `${process.platform} ${process.arch}` };
}

/** Writes the results of the latest run, over those of the one before. Gives the file's path in the repository. */
export async function writeResults(results: Results): Promise<string> {
  const folder = new URL('results/', import.meta.url);
  await mkdir(folder, { recursive: true });
  await writeFile(fileURLToPath(new URL('latest.json', folder)), `${JSON.stringify(results, null, 2)}\n`);
  return 'bench/results/latest.json';
}

/** The middle value, or the mean of the two in the middle; not a number when there is none. */
export function median(values: readonly number[]): number {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
