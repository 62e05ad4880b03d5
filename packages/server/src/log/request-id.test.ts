import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { identifyRequest, requestIdOf, tellRequestId } from './request-id.ts';

function identified(header: string | undefined): { id: string; carried: string | undefined; answered: unknown } {
  const request = new IncomingMessage(new Socket());
  if (header !== undefined) request.headers['x-request-id'] = header;
  const response = new ServerResponse(request);
  const id = identifyRequest(request);
  tellRequestId(response);
  return { id, carried: requestIdOf(request), answered: response.getHeader('x-request-id') };
}

describe('the id of a request', () => {
  test.each(['a', 'abc-123', '0af7651916cd43dd8448eb211c80319c', 'A.b_c-9', 'x'.repeat(64)])('is %s', (given) => {
    expect(identified(given)).toEqual({ id: given, carried: given, answered: given });
  });

  test.each([
    undefined,
    '',
    ' ',
    'a b',
    '-a',
    'x'.repeat(65),
    'a\nb',
    '"a"',
    '{"level":60}',
    '../../etc',
    'a,b',
    '<script>',
    'é',
    '${jndi:x}',
  ])('is a new one instead of %j', (given) => {
    const { id, carried, answered } = identified(given);
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect([carried, answered]).toEqual([id, id]);
  });
});
