import { createHistogram } from 'node:perf_hooks';
import { FailureCount } from './failures.ts';
import type { CallFigures, Endpoint } from './jobs.ts';
import { openSession } from './open-session.ts';
import type { Session } from './session.ts';

/** A caller whose calls keep failing stops after so many, so that a broken target does not fill the run with errors. */
const mostFailures = 100;

/**
 * Calls `echo` from as many callers as asked for, each with its own session and one call at a time, and measures what
 * ends between warm-up and deadline. Every answer is checked against what was sent.
 */
export async function measureCalls(job: {
  endpoint: Endpoint;
  callers: number;
  warmUpMs: number;
  measureMs: number;
}): Promise<CallFigures> {
  const sessions = await openAll(job.endpoint, job.callers);
  const failures = new FailureCount();
  let answered = 0;
  const microseconds = createHistogram({ lowest: 1, highest: 60_000_000, figures: 3 });
  try {
    const [first] = sessions;
    if (!first) throw new Error('at least one caller is needed');
    const tool = await findEcho(first);
    const from = performance.now() + job.warmUpMs;
    const to = from + job.measureMs;
    const drive = async (session: Session, caller: number) => {
      let failed = 0;
      for (let turn = 0; failed < mostFailures; turn += 1) {
        const began = performance.now();
        if (began >= to) return;
        try {
          await callEcho(session, tool, `caller ${caller}, turn ${turn}: the quick brown fox jumps over the lazy dog`);
        } catch (thrown) {
          failed += 1;
          failures.add(thrown);
          continue;
        }
        answered += 1;
        const ended = performance.now();
        if (ended >= from && ended < to) microseconds.record(Math.max(1, Math.round((ended - began) * 1000)));
      }
    };
    await Promise.all(sessions.map(drive));
  } finally {
    await closeAll(sessions);
  }
  return {
    callsPerSecond: microseconds.count / (job.measureMs / 1000),
    p50: microseconds.count === 0 ? Number.NaN : microseconds.percentile(50) / 1000,
    p99: microseconds.count === 0 ? Number.NaN : microseconds.percentile(99) / 1000,
    answered,
    failures: failures.toRecord(),
  };
}

/** Calls `echo` until it answers rightly. Throws the last failure when it does not within the limit. */
export async function firstCall(endpoint: Endpoint, withinMs: number): Promise<void> {
  const until = performance.now() + withinMs;
  for (;;) {
    try {
      const session = await openSession(endpoint);
      try {
        return await callEcho(session, await findEcho(session), 'first call');
      } finally {
        await session.close();
      }
    } catch (thrown) {
      if (performance.now() > until) throw thrown;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

export async function openAll(endpoint: Endpoint, count: number): Promise<Session[]> {
  const opening = Array.from({ length: count }, () => openSession(endpoint));
  const settled = await Promise.allSettled(opening);
  const sessions = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const refused = settled.find((one) => one.status === 'rejected');
  if (!refused) return sessions;
  await closeAll(sessions);
  throw refused.reason;
}

export async function closeAll(sessions: readonly Session[]): Promise<void> {
  await Promise.allSettled(sessions.map((session) => session.close()));
}

/** Hubs put the source's name in front of a tool's own where they must or like to. */
async function findEcho(session: Session): Promise<string> {
  const { tools } = (await session.request('tools/list', {})) as { tools: { name: string }[] };
  const name = tools.find((tool) => tool.name === 'echo' || tool.name.endsWith('__echo'))?.name;
  if (name === undefined) throw new Error('the target lists no tool "echo"');
  return name;
}

async function callEcho(session: Session, tool: string, value: string): Promise<void> {
  const result = await session.request('tools/call', { name: tool, arguments: { value } });
  const content = result.content as { text?: string }[] | undefined;
  if (result.isError === true || content?.[0]?.text !== value)
    throw new Error('an answer did not carry the value that was sent');
}
