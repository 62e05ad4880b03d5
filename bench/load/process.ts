import { closeAll, firstCall, measureCalls, openAll } from './calls.ts';
import type { Endpoint, Job, Outcomes, Reply } from './jobs.ts';
import { measureLists } from './lists.ts';
import type { Session } from './session.ts';

/** A load generator: a process of its own that does one job at a time for the bench, and ends when the bench does. */

let held: Session[] = [];

/** Sessions are opened in small groups: all at once would measure the peak of the handshakes. */
const openedTogether = 20;

async function openMore(endpoint: Endpoint, count: number, withStreams: boolean): Promise<void> {
  for (let opened = 0; opened < count; opened += openedTogether) {
    const more = await openAll(endpoint, Math.min(openedTogether, count - opened));
    held.push(...more);
    if (withStreams) await Promise.all(more.map((session) => session.openStream()));
  }
}

async function run(job: Job): Promise<Outcomes[Job['kind']]> {
  switch (job.kind) {
    case 'calls':
      return measureCalls(job);
    case 'list':
      return measureLists(job);
    case 'first-call':
      await firstCall(job.endpoint, job.withinMs);
      return { failures: {} };
    case 'open-sessions':
      await openMore(job.endpoint, job.count, job.withStreams);
      return { failures: {} };
    case 'close-sessions':
      await closeAll(held);
      held = [];
      return { failures: {} };
  }
}

process.on('message', (job: Job) => {
  run(job).then(
    (outcome) => process.send?.({ outcome } satisfies Reply),
    (thrown) => process.send?.({ error: thrown instanceof Error ? thrown.message : String(thrown) } satisfies Reply),
  );
});
process.on('disconnect', () => process.exit(0));
