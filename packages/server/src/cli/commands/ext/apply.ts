import { LunaError } from '@luna/core/errors';
import {
  type AppliedQueueView,
  currentQueueView,
  queueProgress,
  type UpdateOperation,
  updateQueueView,
} from '@luna/core/views';
import { z } from 'zod';
import { ask, type RunningLuna } from '../../running-luna.ts';

const nothing = z.undefined();

/** Has a running Luna do these operations, and waits for it. Throws why they failed; then nothing of it waits. */
export async function doOperations(
  luna: RunningLuna,
  operations: readonly UpdateOperation[],
  onLine: (line: string) => void,
): Promise<AppliedQueueView> {
  const { queue } = await ask(luna, 'GET', '/queue/current', currentQueueView);
  if (queue)
    throw new LunaError(
      'conflict',
      'Something waits in the update queue already. Apply it (luna ext queue --apply) or let go of it (luna ext queue --discard) first.',
    );
  await ask(luna, 'POST', '/queue/save', updateQueueView, { operations });
  const outcome = await applyQueue(luna, onLine);
  if (outcome.outcome === 'done') return outcome;
  if (outcome.outcome !== 'broken_off') await ask(luna, 'DELETE', '/queue/current', nothing);
  throw new LunaError('process_failed', outcome.reason ?? 'It was broken off.');
}

/** Has the queue applied, and waits until it is done or failed. */
export async function applyQueue(luna: RunningLuna, onLine: (line: string) => void): Promise<AppliedQueueView> {
  // Before it begins, so that nothing is missed.
  const events = await openEvents(luna);
  try {
    const { id } = await ask(luna, 'POST', '/queue/apply', updateQueueView);
    for await (const { type, data } of events.read()) {
      if (type === 'queue.progress') {
        const { phase, name, message } = queueProgress.parse(data);
        onLine([phase, name, message].filter(Boolean).join(': '));
      }
      if (type !== 'queue.changed') continue;
      const { queue, last } = await ask(luna, 'GET', '/queue/current', currentQueueView);
      if (last?.id === id && queue?.status !== 'applying') return last;
    }
  } finally {
    await events.close();
  }
  throw new LunaError('not_running', 'Luna ended meanwhile. It goes on with the queue when it starts again.');
}

interface Event {
  readonly type: string;
  readonly data: unknown;
}

/** What happens in a running Luna, from now on. */
export async function openEvents(
  luna: RunningLuna,
): Promise<{ read(): AsyncGenerator<Event>; close(): Promise<void> }> {
  const controller = new AbortController();
  const response = await fetch(`${luna.url}/api/supervisor/events`, {
    headers: { authorization: `Bearer ${luna.token}` },
    signal: controller.signal,
  });
  const { body } = response;
  if (!response.ok || !body) throw new LunaError('upstream_error', `Luna answered with HTTP ${response.status}.`);
  return {
    async *read() {
      const decoder = new TextDecoder();
      let text = '';
      for await (const chunk of body) {
        text += decoder.decode(chunk, { stream: true });
        const events = text.split('\n\n');
        text = events.pop() ?? '';
        for (const event of events) {
          const [, type] = /^event: (.*)$/m.exec(event) ?? [];
          const [, data] = /^data: (.*)$/m.exec(event) ?? [];
          if (type !== undefined && data !== undefined) yield { type, data: JSON.parse(data) };
        }
      }
    },
    close: async () => controller.abort(),
  };
}
