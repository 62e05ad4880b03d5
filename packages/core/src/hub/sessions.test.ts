import { describe, expect, test } from 'vitest';
import { eventually } from '../../test/fixtures/eventually.ts';
import { answerOf, serveHub } from '../../test/fixtures/served-hub.ts';
import { testSource, tool } from '../../test/test-source.ts';
import { textResult } from '../tools/index.ts';

const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
const call = (name: string) => ({ jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name } });

/** A hub whose tool `hold` answers once it is released, or tells that it was cancelled. */
async function served(options: Parameters<typeof serveHub>[1]) {
  const released = Promise.withResolvers<void>();
  let [held, cancelled] = [0, 0];
  const source = testSource('s', [tool('hold')], async (_name, _args, { signal }) => {
    held++;
    signal.addEventListener('abort', () => cancelled++);
    await released.promise;
    return textResult('held');
  });
  const hub = await serveHub([source], options);
  const stream = async (session: Record<string, string>) => {
    const controller = new AbortController();
    const headers = { accept: 'text/event-stream', ...session };
    const response = await fetch(hub.url, { headers, signal: controller.signal });
    expect(response.status).toBe(200);
    return { close: () => controller.abort(), response };
  };
  const status = async (session: Record<string, string>) => (await answerOf(await hub.post(list, session))).status;
  return { ...hub, stream, status, release: released.resolve, held: () => held, cancelled: () => cancelled };
}

describe('a session that is not used', () => {
  test('ends after a while', async () => {
    const { session, status, http } = await served({ sessionIdleMs: 600 });
    const one = await session();
    expect(http.sessionCount).toBe(1);
    await eventually(() => http.sessionCount).toBe(0);
    expect(await status(one)).toBe(404);
  });

  test('stays while its stream is open, and ends after that', async () => {
    const { session, stream, status, http } = await served({ sessionIdleMs: 600 });
    const one = await session();
    const { close } = await stream(one);
    const other = await session();
    // The other one ends: so long has nobody been spared without a reason.
    await eventually(() => http.sessionCount).toBe(1);
    expect(http.streamCount).toBe(1);
    expect(await status(one)).toBe(200);
    expect(await status(other)).toBe(404);
    close();
    await eventually(() => http.sessionCount).toBe(0);
    expect(http.streamCount).toBe(0);
  });

  test.each([
    ['fast', {}],
    ['with a stream', { _meta: { progressToken: 1 } }],
  ])('stays while a call is under way (%s)', async (_way, more) => {
    const { session, http, post, release, held } = await served({ sessionIdleMs: 600 });
    const one = await session();
    const message = { ...call('hold'), params: { name: 'hold', ...more } };
    const answer = post(message, one).then(answerOf);
    await eventually(held).toBe(1);
    await session();
    await session();
    await eventually(() => http.sessionCount).toBe(1);
    release();
    expect(await answer).toMatchObject({ result: { content: [{ text: 'held' }] } });
    await eventually(() => http.sessionCount).toBe(0);
  });
});

describe('with too many sessions', () => {
  test('the one that was unused the longest makes room, and one with a stream does not', async () => {
    const { session, stream, status, http } = await served({ maxSessions: 3 });
    const first = await session();
    const { close } = await stream(first);
    const others = [await session(), await session()];
    // Used again: the second one is the oldest now.
    await new Promise((settle) => setTimeout(settle, 5));
    expect(await status(others[0] ?? {})).toBe(200);
    const last = await session();
    expect(http.sessionCount).toBe(3);
    expect([await status(first), await status(others[0] ?? {}), await status(last)]).toEqual([200, 200, 200]);
    expect(await status(others[1] ?? {})).toBe(404);
    close();
  });
});

describe('the end of a session', () => {
  test('by DELETE cancels its calls, and those of no other', async () => {
    const { session, url, post, held, cancelled, release, http } = await served({});
    const [one, two] = [await session(), await session()];
    const first = post(call('hold'), one).then(answerOf);
    const second = post(call('hold'), two).then(answerOf);
    await eventually(held).toBe(2);
    expect((await fetch(url, { method: 'DELETE', headers: one })).status).toBe(200);
    await eventually(cancelled).toBe(1);
    expect(http.sessionCount).toBe(1);
    release();
    expect(await second).toMatchObject({ result: { content: [{ text: 'held' }] } });
    await first;
  });

  test('of all when the hub is closed: streams end, calls are cancelled', async () => {
    const { session, stream, http, post, held, cancelled, release } = await served({});
    const one = await session();
    const { response } = await stream(one);
    const waiting = post(call('hold'), one).then(answerOf);
    await eventually(held).toBe(1);
    await http.close();
    expect(await response.text()).not.toContain('error');
    await eventually(cancelled).toBe(1);
    expect(http.sessionCount).toBe(0);
    release();
    await waiting;
  });
});

test('a second stream of a session is refused, and the first one goes on', async () => {
  const { session, stream, url, http } = await served({});
  const one = await session();
  const { close } = await stream(one);
  const second = await fetch(url, { headers: { accept: 'text/event-stream', ...one } });
  expect(second.status).toBe(409);
  await second.text();
  await eventually(() => http.streamCount).toBe(1);
  close();
  await eventually(() => http.streamCount).toBe(0);
});

test('a change that came while a client had no stream is told on the next one', async () => {
  const source = testSource('s', [tool('a')]);
  const { session, url, hub } = await serveHub([source]);
  const [one, two] = [await session(), await session()];
  const told = new Promise((settle) => hub.onToolsChanged(() => settle(undefined)));
  source.setTools([tool('b')]);
  await told;
  const notifications = async (headers: Record<string, string>) => {
    const response = await fetch(url, { headers: { accept: 'text/event-stream', ...headers } });
    const chunks: string[] = [];
    const read = (async () => {
      for await (const chunk of response.body ?? []) chunks.push(Buffer.from(chunk).toString('utf8'));
    })();
    return { read, count: () => chunks.join('').split('notifications/tools/list_changed').length - 1 };
  };
  const first = await notifications(one);
  await eventually(first.count).toBe(1);
  await fetch(url, { method: 'DELETE', headers: one });
  await first.read;
  // Told once, and to who was there before the change only.
  const [missed, late] = [await notifications(two), await notifications(await session())];
  await eventually(missed.count).toBe(1);
  source.setTools([tool('c')]);
  await eventually(late.count).toBe(1);
  await eventually(missed.count).toBe(2);
});
