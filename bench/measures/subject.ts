import type { LoadGenerator } from '../load/generator.ts';
import type { Endpoint } from '../load/jobs.ts';

/** One thing under measurement: a name for the table, how it is reached, and the process that drives it. */
export interface Subject {
  readonly name: string;
  readonly endpoint: Endpoint;
  readonly load: LoadGenerator;
  /** Its process. */
  readonly pid: number;
}

/** The name of the subject that all ratios refer to. */
export const direct = 'direct';

/** The subjects in an order that moves on by one each round, so that nobody always comes after the same neighbour. */
export function rotated<T>(subjects: readonly T[], round: number): T[] {
  const at = round % Math.max(1, subjects.length);
  return [...subjects.slice(at), ...subjects.slice(0, at)];
}
