import { expect, test } from 'vitest';
import { clientAddress } from './client-address.ts';

test('without a named proxy it is the other end of the connection, whatever the header says', () => {
  expect(clientAddress('203.0.113.7', '10.0.0.1', [])).toBe('203.0.113.7');
  expect(clientAddress('::ffff:203.0.113.7', undefined, ['10.0.0.0/8'])).toBe('203.0.113.7');
  expect(clientAddress('203.0.113.7', '1.1.1.1', ['10.0.0.0/8'])).toBe('203.0.113.7');
  expect(clientAddress(undefined, '1.1.1.1', ['10.0.0.0/8'])).toBe('');
});

test('behind named proxies it is the last hop that is none of them', () => {
  const trusted = ['10.0.0.0/8', '127.0.0.1', '2001:db8::/32'];
  expect(clientAddress('10.0.0.1', '203.0.113.7', trusted)).toBe('203.0.113.7');
  expect(clientAddress('::ffff:127.0.0.1', '6.6.6.6, 203.0.113.7, 10.9.9.9', trusted)).toBe('203.0.113.7');
  expect(clientAddress('2001:db8::1', '2a00::1', trusted)).toBe('2a00::1');
  expect(clientAddress('10.0.0.1', '10.0.0.2', trusted)).toBe('10.0.0.2');
});

test('what is no address ends the chain', () => {
  const trusted = ['10.0.0.0/8'];
  for (const header of ['', 'unknown', '<script>', '1.2.3.4, nonsense', ',,,'])
    expect(clientAddress('10.0.0.1', header, trusted), header).toBe('10.0.0.1');
});
