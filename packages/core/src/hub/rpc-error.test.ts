import { expect, test } from 'vitest';
import { redactorOf } from '../config/index.ts';
import { LunaError } from '../errors/index.ts';
import { toRpcError } from './rpc-error.ts';

const redact = redactorOf(['hunter2-secret']);

test('secrets are covered in the message and in all that goes with it', () => {
  const error = new LunaError('upstream_error', 'Refused hunter2-secret', {
    details: { tried: ['hunter2-secret', { header: 'Bearer hunter2-secret' }], count: 3 },
  });
  expect(toRpcError(error, redact)).toEqual({
    code: -32603,
    message: 'Refused •••',
    data: { tried: ['•••', { header: 'Bearer •••' }], count: 3, code: 'upstream_error' },
  });
});

test('secrets are covered in what another server said', () => {
  const rpc = { code: -32001, message: 'Bad key hunter2-secret', data: { key: 'hunter2-secret' } };
  const error = new LunaError('upstream_error', 'relayed', { details: { rpc } });
  expect(toRpcError(error, redact)).toEqual({ code: -32001, message: 'Bad key •••', data: { key: '•••' } });
  expect(toRpcError(error)).toBe(rpc);
});
