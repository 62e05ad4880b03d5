import type { CallView, LunaEvent, StatusView } from '@luna/core/control';
import { useQueryClient } from '@tanstack/vue-query';
import { onScopeDispose, type Ref, ref } from 'vue';
import { atBase } from '../base.ts';
import { noteAnswer, noteBreak, noteEnding } from './lifecycle.ts';
import { keys } from './queries.ts';
import { isUpdatingLuna } from './queue.ts';
import { takeProgress } from './queue-progress.ts';

/** Which of what the pages show an event makes old. */
const touched: Record<LunaEvent['type'], readonly (readonly string[])[]> = {
  hello: [],
  'source.changed': [],
  'sources.changed': [keys.status, keys.tools, keys.servers, keys.environment, keys.extensions],
  'tools.changed': [keys.status, keys.tools, keys.servers, keys.hubs, keys.agents, keys.presets],
  'pinned-tools.changed': [keys.pinnedTools, keys.status],
  'external-services.changed': [keys.externalServices, keys.environment],
  'external-service.output': [],
  'services.changed': [keys.status, keys.services, keys.extensions],
  'hubs.changed': [keys.status, keys.tools, keys.hubs],
  'keys.changed': [keys.servers, keys.environment, keys.extensions, keys.agentKey, keys.agentModels],
  'config.changed': [
    keys.status,
    keys.tools,
    keys.hubs,
    keys.servers,
    keys.presets,
    keys.agentModels,
    keys.environment,
    keys.extensions,
    keys.externalServices,
  ],
  'oauth-clients.changed': [keys.oauthClients],
  'call.ended': [],
  'schedules.changed': [keys.schedules],
  'schedule.ran': [keys.schedules],
  stopping: [],
  'queue.changed': [keys.queue, keys.extensions],
  'queue.progress': [],
  'agents.changed': [keys.agents, keys.presets],
  'run.ended': [keys.runs],
};

const shownCalls = 100;
/** Events come in bursts; what they touch is asked for once, after so many milliseconds. */
const gatherMs = 50;
/** A browser gives up on a stream that was refused (a proxy may do so). It is opened anew after so many milliseconds. */
const reopenMs = 2_000;

/** A call may be in a status that was asked for meanwhile. */
function withCall(calls: readonly CallView[], call: CallView): CallView[] {
  return [call, ...calls.filter(({ id }) => id !== call.id)].slice(0, shownCalls);
}

/** Follows the server's events as long as the calling scope lives. `onBack`: Luna was away, and is there again. */
export function useLiveEvents(onBack: () => void): { connected: Ref<boolean> } {
  const queries = useQueryClient();
  const connected = ref(true);
  const old = new Set<readonly string[]>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let reopening: ReturnType<typeof setTimeout> | undefined;
  let hearing = new AbortController();
  /** What happened while there was no stream is unknown, also to what was asked for before the first one. */
  let missed = true;
  let stream = open();

  function refresh(): void {
    timer = undefined;
    for (const queryKey of old) askAnew(queryKey);
    old.clear();
  }

  function askAnew(queryKey: readonly string[]): void {
    // Whoever asks for the first time is not interrupted, and may get an answer that was true before the event.
    const first = queries
      .getQueryCache()
      .findAll({ queryKey, fetchStatus: 'fetching', predicate: ({ state }) => state.data === undefined });
    void queries.invalidateQueries({ queryKey });
    for (const { promise, queryKey: exactly } of first) {
      // Whoever shows it tells of its failure.
      void promise?.catch(() => undefined).then(() => queries.invalidateQueries({ queryKey: exactly, exact: true }));
    }
  }

  function open(): EventSource {
    const opened = new EventSource(atBase('/api/supervisor/events'));
    opened.onopen = () => {
      connected.value = true;
    };
    opened.onerror = () => {
      connected.value = false;
      missed = true;
      hearing.abort();
      noteBreak();
      if (opened.readyState !== EventSource.CLOSED) return;
      // Asking for the status tells why, and leads to signing in where that is missing.
      void queries.invalidateQueries({ queryKey: keys.status });
      reopening = setTimeout(() => {
        stream = open();
      }, reopenMs);
    };
    for (const type of Object.keys(touched) as LunaEvent['type'][]) {
      opened.addEventListener(type, ({ data }: MessageEvent<string>) => take(JSON.parse(data)));
    }
    return opened;
  }

  function take(event: LunaEvent): void {
    if (event.type === 'call.ended') {
      queries.setQueryData<StatusView>(
        keys.status,
        (status) => status && { ...status, recentCalls: withCall(status.recentCalls, event.call) },
      );
    }
    if (event.type === 'stopping') noteEnding(isUpdatingLuna(queries) ? 'update' : 'ended');
    if (event.type === 'hello') void greet();
    takeProgress(queries, event);
    for (const key of touched[event.type]) old.add(key);
    timer ??= setTimeout(refresh, gatherMs);
  }

  /** A Luna that answers may be starting yet. */
  async function greet(): Promise<void> {
    hearing.abort();
    hearing = new AbortController();
    const { signal } = hearing;
    // Where it does not answer after all, the stream breaks off too, and is opened anew.
    const wasAway = await noteAnswer(signal).catch(() => false);
    if (signal.aborted) return;
    if (missed || wasAway) askAnew([]);
    missed = false;
    if (wasAway) onBack();
  }

  onScopeDispose(() => {
    hearing.abort();
    clearTimeout(timer);
    clearTimeout(reopening);
    stream.close();
  });
  return { connected };
}
