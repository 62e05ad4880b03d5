import { onScopeDispose, ref, shallowRef, watch } from 'vue';
import { type LogEntry, logEntryOf } from '../log-entry.ts';
import { ApiError } from './client.ts';
import { followText } from './follow.ts';
import { messageOf } from './message-of.ts';

export interface NumberedEntry extends LogEntry {
  /** Counted up, so that a list can tell entries apart. */
  readonly number: number;
}

/** More than these are not kept in the page. */
const keptEntries = 2_000;
const firstLines = 500;
/** A log that broke off is opened again after so many milliseconds. */
const againMs = 2_000;

/** The end of a log, and what is added to it. It is followed until the calling scope ends, also over a restart of Luna. */
export function useLogEntries(path: () => string) {
  const entries = shallowRef<readonly NumberedEntry[]>([]);
  const problem = ref('');
  let reading = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let count = 0;

  async function read(): Promise<void> {
    reading.abort();
    clearTimeout(timer);
    const mine = new AbortController();
    reading = mine;
    let rest = '';
    let isNew = true;
    const take = (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      const added = lines.filter((line) => line !== '').map((line) => ({ ...logEntryOf(line), number: count++ }));
      problem.value = '';
      entries.value = [...(isNew ? [] : entries.value), ...added].slice(-keptEntries);
      isNew = false;
    };
    const question = path().includes('?') ? '&' : '?';
    const failure = await followText(`${path()}${question}lines=${firstLines}&follow=true`, take, mine.signal).catch(
      (thrown: unknown) => thrown,
    );
    if (mine.signal.aborted) return;
    if (failure instanceof ApiError && failure.status >= 400 && failure.status < 500) {
      problem.value = messageOf(failure);
      return;
    }
    problem.value = 'The log broke off. It goes on when Luna answers again.';
    timer = setTimeout(() => void read(), againMs);
  }

  watch(
    path,
    () => {
      entries.value = [];
      problem.value = '';
      void read();
    },
    { immediate: true },
  );
  onScopeDispose(() => {
    clearTimeout(timer);
    reading.abort();
  });
  return { entries, problem };
}
