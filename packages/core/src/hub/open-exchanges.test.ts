import { expect, test } from 'vitest';
import { Cancellation } from '../tools/index.ts';
import { OpenExchanges } from './open-exchanges.ts';

const request = () => ({ startedAt: 0, cancellation: new Cancellation(), begin: () => undefined });

test('a request is found under its id until it has ended', () => {
  const open = new OpenExchanges();
  const [one, other] = [request(), request()];
  open.add(1, one);
  open.add('1', other);
  expect([open.get(1), open.get('1'), open.get(2), open.size]).toEqual([one, other, undefined, 2]);
  open.delete(1, one);
  expect([open.get(1), open.all(), open.size]).toEqual([undefined, [other], 1]);
});

test('the end of a request takes nothing from another that has its id', () => {
  const open = new OpenExchanges();
  const [former, later] = [request(), request()];
  open.add('a', former);
  open.add('a', later);
  open.delete('a', former);
  expect([open.get('a'), open.size]).toEqual([later, 1]);
});

test.each(['__proto__', 'constructor', 'toString', '', '"1', '-1', 1.5, 2 ** 53])(
  '%j is an id like any other',
  (id) => {
    const open = new OpenExchanges();
    expect(open.get(id)).toBeUndefined();
    const one = request();
    open.add(id, one);
    expect(open.get(id)).toBe(one);
    open.delete(id, one);
    expect([open.get(id), open.size]).toEqual([undefined, 0]);
  },
);

test.each([undefined, null, {}, [], true, Number.NaN])('nothing is found under %j', (id) => {
  const open = new OpenExchanges();
  open.add(1, request());
  expect(open.get(id)).toBeUndefined();
});
