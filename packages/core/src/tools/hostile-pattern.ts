import { Script } from 'node:vm';
import { structureOf } from './pattern-structure.ts';

/** What is wrong with a regular expression of a schema; undefined when nothing is. `not-tried`: there was no time. */
export type PatternProblem = 'not-legal' | 'catastrophic' | 'not-tried';

/** Longer than this is no pattern that a person wrote. */
const maxLength = 2_000;
/** Texts this short are matched at once by any sound pattern, in milliseconds of the processor. */
const patienceMs = 20;
/** A machine that is busy with something else gets more time for the same work, up to so many milliseconds. */
const mostPatienceMs = 320;
/** Of trials of the patterns of one list, in milliseconds: nothing else happens meanwhile. */
const listMs = 300;
/** Verdicts that are remembered. */
const maxKnown = 20_000;
/** Characters of a text: enough for what multiplies with each, few enough for what grows with the square. */
const textLength = 160;
const leastRepetitions = 45;

/** Answers `not-tried` once the time for trials is used up. */
export interface PatternSession {
  problemOf(pattern: string): PatternProblem | undefined;
}

/**
 * Judges whether patterns are regular expressions (ECMA 262, as JSON Schema has it) that end in a reasonable time.
 * Those with repetitions are tried on texts that make bad ones go back and forth; the trial is cut off, and what came
 * out is remembered.
 */
export class PatternJudge {
  readonly #known = new Map<string, Exclude<PatternProblem, 'not-tried'> | undefined>();

  /** Judges the patterns of one list; `limitMs` is for all trials together. */
  session(limitMs = listMs): PatternSession {
    let left = limitMs;
    return {
      problemOf: (pattern) => {
        if (pattern.length > maxLength) return 'catastrophic';
        if (this.#known.has(pattern)) return this.#known.get(pattern);
        if (left <= 0) return 'not-tried';
        const began = performance.now();
        const problem = problemOfPattern(pattern);
        left -= performance.now() - began;
        this.#known.set(pattern, problem);
        for (const oldest of this.#known.keys()) if (this.#known.size > maxKnown) this.#known.delete(oldest);
        return problem;
      },
    };
  }
}

/** The verdict on one pattern, which takes {@link patienceMs} of the processor's time. */
export function problemOfPattern(pattern: string): Exclude<PatternProblem, 'not-tried'> | undefined {
  if (pattern.length > maxLength) return 'catastrophic';
  const flags = legalFlagsOf(pattern);
  if (flags === undefined) return 'not-legal';
  const { parts, pumps, excluded } = structureOf(pattern);
  // Where nothing is repeated within or beside another repetition there is nothing whose ways multiply.
  if (parts.length === 0) return undefined;
  const trial = trialOf([pattern, ...parts], flags, textsOf(pumps, excluded));
  return isSlow(trial) ? 'catastrophic' : undefined;
}

function legalFlagsOf(pattern: string): string | undefined {
  for (const flags of ['u', '']) {
    try {
      new RegExp(pattern, flags);
      return flags;
    } catch {
      // Some that are legal are so without the flag only.
    }
  }
  return undefined;
}

/** The end of each text fits nothing, so that every way is tried. */
function textsOf(pumps: readonly string[], excluded: readonly string[]): string[] {
  const endings = ['\u0000!', `${excluded.join('')}${[...excluded].reverse().join('')}\n`];
  return pumps.flatMap((pump) => {
    const pumped = pump.repeat(Math.max(leastRepetitions, textLength / pump.length));
    return endings.map((ending) => pumped + ending);
  });
}

function trialOf(patterns: readonly string[], flags: string, texts: readonly string[]): Script {
  // A part with a reference to a group outside of it is none by itself.
  return new Script(`{
    const texts = ${JSON.stringify(texts)};
    for (const pattern of ${JSON.stringify(patterns)}) {
      let regex;
      try { regex = new RegExp(pattern, ${JSON.stringify(flags)}); } catch { continue; }
      for (const text of texts) regex.test(text);
    }
  }`);
}

/** Who is late because the machine was busy with something else is tried again with more time. */
function isSlow(trial: Script): boolean {
  for (let limitMs = patienceMs; limitMs <= mostPatienceMs; limitMs *= 2) {
    const began = processorMs();
    if (!isLate(trial, limitMs)) return false;
    // What it was given is measured a little less exactly than when it was cut off.
    if (processorMs() - began > patienceMs * 0.8) return true;
  }
  return true;
}

/** The processor's time that this thread has had; before Node 23.9 that of all threads. */
function processorMs(): number {
  const { user, system } = process.threadCpuUsage?.() ?? process.cpuUsage();
  return (user + system) / 1_000;
}

function isLate(trial: Script, limitMs: number): boolean {
  try {
    trial.runInThisContext({ timeout: limitMs });
    return false;
  } catch {
    return true;
  }
}
