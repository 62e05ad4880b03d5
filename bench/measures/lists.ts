import type { Failures } from '../load/jobs.ts';
import { messageOf } from '../message-of.ts';
import type { QuietWatch } from '../quiet.ts';
import type { Settings } from '../settings.ts';
import { rotated, type Subject } from './subject.ts';

/** The complete listings of one subject with one number of tools, in milliseconds. */
export interface ListSeries {
  readonly target: string;
  readonly tools: number;
  readonly times: number[];
  readonly failures: Record<string, number>;
}

const listLimitMs = 90_000;

/** Has all subjects list their tools in turn. The first listing of each warms up and is not counted. */
export async function measureListRounds(
  subjects: readonly Subject[],
  tools: number,
  settings: Settings,
  watch: QuietWatch,
): Promise<ListSeries[]> {
  const series = new Map<string, ListSeries>(
    subjects.map(({ name }) => [name, { target: name, tools, times: [], failures: {} }]),
  );
  for (let round = 0; round < settings.rounds; round += 1) {
    for (const { name, endpoint, load } of rotated(subjects, round)) {
      const into = series.get(name);
      if (!into) continue;
      await watch.untilQuiet();
      try {
        const figures = await load.run<'list'>(
          { kind: 'list', endpoint, expected: tools, times: settings.listings + 1 },
          listLimitMs,
        );
        into.times.push(...figures.times.slice(1));
        addFailures(into.failures, figures.failures);
      } catch (thrown) {
        addFailures(into.failures, { [messageOf(thrown)]: 1 });
      }
    }
  }
  return [...series.values()];
}

function addFailures(into: Record<string, number>, more: Failures): void {
  for (const [message, count] of Object.entries(more)) into[message] = (into[message] ?? 0) + count;
}
