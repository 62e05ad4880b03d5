import { FailureCount } from './failures.ts';
import type { Endpoint, ListFigures } from './jobs.ts';
import { openSession } from './open-session.ts';
import type { Session } from './session.ts';

/** A target whose cursors go on for ever fails the listing instead of hanging the bench. */
const mostPages = 1000;

/** Lists all tools several times on one session, following the cursor, and times each from request to parsed tools. */
export async function measureLists(job: { endpoint: Endpoint; expected: number; times: number }): Promise<ListFigures> {
  const session = await openSession(job.endpoint);
  const failures = new FailureCount();
  const times: number[] = [];
  try {
    for (let turn = 0; turn < job.times; turn += 1) {
      const began = performance.now();
      try {
        const count = await countTools(session);
        if (count !== job.expected) throw new Error(`listed ${count} tools instead of ${job.expected}`);
        times.push(performance.now() - began);
      } catch (thrown) {
        failures.add(thrown);
      }
    }
  } finally {
    await session.close();
  }
  return { times, failures: failures.toRecord() };
}

/** How many tools the target lists, each with a name of its own. */
async function countTools(session: Session): Promise<number> {
  const names = new Set<string>();
  let cursor: unknown;
  for (let page = 0; page < mostPages; page += 1) {
    const answer = await session.request('tools/list', cursor === undefined ? {} : { cursor });
    for (const tool of answer.tools as { name: string; inputSchema?: { type?: string } }[]) {
      if (tool.inputSchema?.type !== 'object') throw new Error(`the tool ${tool.name} came without its schema`);
      names.add(tool.name);
    }
    cursor = answer.nextCursor;
    if (cursor === undefined) return names.size;
  }
  throw new Error(`the list had not ended after ${mostPages} pages`);
}
