import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

/** What a run measures and for how long; times in milliseconds. */
export interface Settings {
  readonly rounds: number;
  readonly measureMs: number;
  readonly warmUpMs: number;
  /** How long each target is driven before the first round. */
  readonly firstWarmUpMs: number;
  readonly callers: readonly number[];
  readonly toolCounts: readonly number[];
  /** Complete listings per round and target. */
  readonly listings: number;
  /** How many sessions to hold idle while the memory is read: a few, then many. */
  readonly idleSessions: readonly [few: number, many: number];
  /** How long a hub is left alone before its memory is read. */
  readonly settleMs: number;
  readonly phases: ReadonlySet<Phase>;
  /** Names of the targets to measure, in lower case; all when undefined. Direct is always measured. */
  readonly only: ReadonlySet<string> | undefined;
  /** The folder in which each hub leaves CPU profiles of its calls; undefined for none. */
  readonly profile: string | undefined;
}

export type Phase = 'calls' | 'sizes' | 'lists' | 'starts';
const allPhases: readonly Phase[] = ['calls', 'sizes', 'lists', 'starts'];

export const usage = `Usage: npm run bench -- [options]
  --quick            one short round
  --rounds N         rounds, of which medians are taken (3)
  --seconds N        length of one measurement of calls (2.5)
  --phases A,B       of calls, sizes, lists, starts (all)
  --only A,B         of luna, "bare relay", mcp-hub, "sdk hub" (all; the upstream driven directly is always there)
  --profile FOLDER   leave CPU profiles of the calls, one subfolder for each hub
  --no-build         measure what is built already`;

/** Reads the command line. Throws with a message for the person when it does not fit. */
export function readSettings(args: readonly string[]): Settings {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      phases: { type: 'string' },
      only: { type: 'string' },
      profile: { type: 'string' },
    },
  });
  const { quick } = values;
  const names = values.phases?.split(',') ?? allPhases;
  const unknown = names.find((name) => !allPhases.some((phase) => phase === name));
  if (unknown !== undefined) throw new Error(`There is no phase "${unknown}". Choose from ${allPhases.join(', ')}.`);
  return {
    rounds: positive('rounds', values.rounds) ?? (quick ? 1 : 3),
    measureMs: (positive('seconds', values.seconds) ?? (quick ? 1 : 2.5)) * 1000,
    warmUpMs: quick ? 300 : 500,
    firstWarmUpMs: quick ? 1_000 : 4_000,
    callers: [1, 32],
    toolCounts: [10, 1000, 5000],
    listings: quick ? 3 : 5,
    idleSessions: [100, 1000],
    settleMs: quick ? 500 : 1000,
    phases: new Set(allPhases.filter((phase) => names.includes(phase))),
    only: values.only === undefined ? undefined : new Set(values.only.toLowerCase().split(',')),
    profile: values.profile === undefined ? undefined : resolve(values.profile),
  };
}

function positive(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!(value > 0 && Number.isFinite(value))) throw new Error(`--${option} wants a number above 0, not "${text}".`);
  return value;
}
