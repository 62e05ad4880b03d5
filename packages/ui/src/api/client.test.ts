import { expect, test } from 'vitest';
import { errorOf } from './client.ts';

test('an error of Luna keeps its code and message', () => {
  const error = errorOf(404, '{"error":{"code":"tool_not_found","message":"Unknown tool: x"}}');
  expect(error).toMatchObject({ status: 404, code: 'tool_not_found', message: 'Unknown tool: x' });
});

test.each(['<html>Bad gateway</html>', '', '{"error":"text"}', 'null', '[]'])(
  '%j becomes an error with the status',
  (text) => {
    expect(errorOf(502, text)).toMatchObject({ status: 502, code: 'unknown', message: 'Luna answered with HTTP 502.' });
  },
);
