import { expect, test } from 'vitest';
import { Cancellation } from '../../tools/index.ts';
import { PendingRequest } from './pending-request.ts';
import { PendingRequests } from './pending-requests.ts';

const owner = { take: () => undefined, withdrawn: () => undefined, ended: () => undefined };

function request(): PendingRequest {
  const cancellation = new Cancellation();
  const options = { signal: new AbortController().signal };
  const nothing = () => undefined;
  return new PendingRequest(owner, { options, cancellation }, nothing, nothing);
}

test('each request is found under its id, however many there are', () => {
  const pending = new PendingRequests();
  const requests = Array.from({ length: 1_000 }, request);
  const ids = requests.map((one) => pending.add(one));
  expect(new Set(ids).size).toBe(1_000);
  expect(ids.map((id) => pending.get(id))).toEqual(requests);
  expect(pending.size).toBe(1_000);
  expect(pending.all()).toHaveLength(1_000);
});

test('an id is never given out again, while a request that takes long keeps its slot', () => {
  const pending = new PendingRequests();
  const long = request();
  const longId = pending.add(long);
  const seen = new Set([longId]);
  for (let turn = 0; turn < 10_000; turn++) {
    const short = request();
    const id = pending.add(short);
    expect(seen.has(id)).toBe(false);
    seen.add(id);
    expect(pending.get(id)).toBe(short);
    pending.delete(short);
    expect(pending.get(id)).toBeUndefined();
  }
  expect(pending.get(longId)).toBe(long);
  expect(pending.size).toBe(1);
});

test('a request that has ended takes none away from another in its slot', () => {
  const pending = new PendingRequests();
  const first = request();
  pending.add(first);
  pending.delete(first);
  const others = Array.from({ length: 31 }, request);
  for (const one of others) pending.add(one);
  pending.delete(first);
  expect(pending.size).toBe(31);
});

test.each([undefined, null, '1000000000', 1, 5, 1.5, Number.NaN, -1_000_000_000, 1e300, {}])(
  'nothing is found under %j',
  (id) => {
    const pending = new PendingRequests();
    pending.add(request());
    expect(pending.get(id)).toBeUndefined();
  },
);

test('ids of the SDK are not ours', () => {
  const pending = new PendingRequests();
  const id = pending.add(request());
  expect([0, 17, '1000000000', undefined].map((one) => pending.isOurs(one))).toEqual([false, false, false, false]);
  expect(pending.isOurs(id)).toBe(true);
});
