import { expect, test } from 'vitest';
import { eventually } from '../../test/fixtures/eventually.ts';
import { serveHub } from '../../test/fixtures/served-hub.ts';
import { testSource, tool } from '../../test/test-source.ts';
import { textResult } from '../tools/index.ts';

const streamFirst = { accept: 'text/event-stream, application/json' };

async function served(options: Parameters<typeof serveHub>[1] = {}) {
  const released = Promise.withResolvers<void>();
  let held = 0;
  const source = testSource('s', [tool('hold')], async (_name, _args, { onProgress }) => {
    held++;
    onProgress?.({ progress: 1 });
    await released.promise;
    onProgress?.({ progress: 2 });
    return textResult('held');
  });
  const hub = await serveHub([source], options);
  const call = (headers: Record<string, string>, meta?: object, signal?: AbortSignal) =>
    fetch(hub.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 7,
        method: 'tools/call',
        params: { name: 'hold', ...(meta && { _meta: meta }) },
      }),
      ...(signal && { signal }),
    });
  return { ...hub, call, release: released.resolve, held: () => held };
}

/** Reads a stream into text as it comes. */
function reading(response: Response): () => string {
  let text = '';
  void (async () => {
    for await (const chunk of response.body ?? []) text += Buffer.from(chunk).toString('utf8');
  })().catch(() => undefined);
  return () => text;
}

const lastId = (text: string) => [...text.matchAll(/^id: (.+)$/gm)].at(-1)?.[1] ?? '';

test('a client that lost the stream of an answer gets the rest, and nothing twice', async () => {
  const { url, session, call, release, held } = await served();
  const headers = await session();
  const connection = new AbortController();
  const text = reading(await call({ ...headers, ...streamFirst }, { progressToken: 't' }, connection.signal));
  await eventually(() => text().includes('"progress":1')).toBe(true);
  connection.abort();
  release();
  await eventually(held).toBe(1);
  const again = { accept: 'text/event-stream', ...headers, 'last-event-id': lastId(text()) };
  const rest = reading(await fetch(url, { headers: again }));
  await eventually(() => rest().includes('"id":7')).toBe(true);
  expect(rest()).toContain('"text":"held"');
  expect(rest()).not.toContain('"progress":1}');
});

test('an answer that was ready while the client was away is there when it comes back', async () => {
  const { url, session, call, release } = await served();
  const headers = await session();
  const connection = new AbortController();
  const text = reading(await call({ ...headers, ...streamFirst }, undefined, connection.signal));
  await eventually(() => lastId(text())).not.toBe('');
  const id = lastId(text());
  connection.abort();
  release();
  const come = async () => {
    const response = await fetch(url, { headers: { accept: 'text/event-stream', ...headers, 'last-event-id': id } });
    return response.text();
  };
  expect(await come()).toContain('"text":"held"');
  // Nobody else's, and not after an id that was never given out.
  const other = { accept: 'text/event-stream', ...(await session()), 'last-event-id': id };
  const foreign = reading(await fetch(url, { headers: other }));
  await eventually(() => lastId(foreign())).not.toBe('');
  expect(foreign()).not.toContain('held');
});

test('an answer that takes long becomes a stream, so that nobody on the way ends the connection', async () => {
  const { session, call, release } = await served({ heartbeatMs: 20 });
  const response = await call({ ...(await session()), accept: 'application/json, text/event-stream' });
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  const text = reading(response);
  await eventually(() => text().includes(': \n')).toBe(true);
  release();
  await eventually(() => text().includes('"text":"held"')).toBe(true);
});

test('an answer that is ready soon is one body', async () => {
  const { session, call, release } = await served();
  release();
  const response = await call({ ...(await session()), accept: 'application/json, text/event-stream' });
  expect(response.headers.get('content-type')).toBe('application/json');
  expect(await response.json()).toMatchObject({ id: 7, result: { content: [{ text: 'held' }] } });
});
