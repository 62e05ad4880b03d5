import type { LunaEvent } from '@luna/core/control';
import type { QueueProgress } from '@luna/core/updates';
import { type QueryClient, useQuery } from '@tanstack/vue-query';
import { keys } from './queries.ts';

/** What the queue tells while it is applied. Events alone tell of it, so that it is kept here for the pages. */
interface Progress {
  readonly lines: readonly QueueProgress[];
  /** The attempt has ended: what comes next is of another one. */
  readonly ended: boolean;
}

const queryKey = ['queue-progress'] as const;
const keptLines = 500;
const nothing: Progress = { lines: [], ended: true };

/** Keeps what an event tells of the queue. Operations may have another state when the next one has its turn. */
export function takeProgress(queries: QueryClient, event: LunaEvent): void {
  if (event.type === 'queue.changed') {
    queries.setQueryData<Progress>(queryKey, ({ lines } = nothing) => ({ lines, ended: true }));
    return;
  }
  if (event.type !== 'queue.progress') return;
  const { type: _type, ...line } = event;
  const { lines, ended } = queries.getQueryData<Progress>(queryKey) ?? nothing;
  const before = ended ? undefined : lines.at(-1);
  queries.setQueryData<Progress>(queryKey, { lines: [...(ended ? [] : lines), line].slice(-keptLines), ended: false });
  const isNextStep = before?.phase !== line.phase || before.operation !== line.operation;
  if (isNextStep || line.message.startsWith('failed: ')) void queries.invalidateQueries({ queryKey: keys.queue });
}

/** The lines of the attempt that is under way, or was the last. */
export const useQueueProgress = () =>
  useQuery({
    queryKey,
    queryFn: () => nothing,
    enabled: false,
    initialData: nothing,
    select: ({ lines }) => lines,
  });
