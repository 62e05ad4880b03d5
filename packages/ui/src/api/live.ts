import type { LunaEvent, StatusView } from '@luna/core/control';
import { useQueryClient } from '@tanstack/vue-query';
import { onScopeDispose, type Ref, ref } from 'vue';
import { keys } from './queries.ts';

/** Which of what the pages show an event makes old. */
const touched: Record<LunaEvent['type'], readonly (readonly string[])[]> = {
  hello: [],
  'sources.changed': [keys.status, keys.tools, keys.servers],
  'tools.changed': [keys.status, keys.tools, keys.servers, keys.hubs],
  'hubs.changed': [keys.status, keys.tools, keys.hubs],
  'config.changed': [keys.status, keys.tools, keys.hubs, keys.servers],
  'call.ended': [],
};

const shownCalls = 100;
/** Events come in bursts; what they touch is asked for once, after so many milliseconds. */
const gatherMs = 50;

/** Follows the server's events as long as the calling scope lives. */
export function useLiveEvents(): { connected: Ref<boolean> } {
  const queries = useQueryClient();
  const connected = ref(true);
  const old = new Set<readonly string[]>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stream = new EventSource('/api/supervisor/events');

  const refresh = () => {
    timer = undefined;
    for (const queryKey of old) void queries.invalidateQueries({ queryKey });
    old.clear();
  };
  stream.onopen = () => {
    // What happened while the stream was away is unknown.
    if (!connected.value) void queries.invalidateQueries();
    connected.value = true;
  };
  stream.onerror = () => {
    connected.value = false;
    // A refused stream is not tried again by the browser; asking for the status tells why, and leads to signing in.
    if (stream.readyState === EventSource.CLOSED) void queries.invalidateQueries({ queryKey: keys.status });
  };
  for (const type of Object.keys(touched) as LunaEvent['type'][]) {
    stream.addEventListener(type, ({ data }: MessageEvent<string>) => {
      const event: LunaEvent = JSON.parse(data);
      if (event.type === 'call.ended') {
        queries.setQueryData<StatusView>(
          keys.status,
          (status) => status && { ...status, recentCalls: [event.call, ...status.recentCalls].slice(0, shownCalls) },
        );
      }
      for (const key of touched[type]) old.add(key);
      timer ??= setTimeout(refresh, gatherMs);
    });
  }
  onScopeDispose(() => {
    clearTimeout(timer);
    stream.close();
  });
  return { connected };
}
