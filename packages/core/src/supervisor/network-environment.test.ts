import { expect, onTestFinished, test } from 'vitest';
import { childEnvironment } from './child.ts';
import { networkVariables, proxySettings } from './network-environment.ts';

test('children learn of proxies and certificates of the machine', () => {
  for (const name of networkVariables) {
    const former = process.env[name];
    process.env[name] = `value of ${name}`;
    onTestFinished(() => {
      if (former === undefined) delete process.env[name];
      else process.env[name] = former;
    });
  }
  const expected = Object.fromEntries(networkVariables.map((name) => [name, `value of ${name}`]));
  expect(childEnvironment({ cwd: '/' })).toMatchObject(expected);
  const own = childEnvironment({ cwd: '/', env: { HTTPS_PROXY: 'its own' } });
  expect([own.HTTPS_PROXY, own.https_proxy]).toEqual(['its own', 'value of https_proxy']);
});

test.each([
  [{}, undefined],
  [{ NO_PROXY: 'a' }, undefined],
  [{ HTTPS_PROXY: '' }, undefined],
  [
    { HTTPS_PROXY: 'http://p:1', NO_PROXY: 'a,b' },
    { httpsProxy: 'http://p:1', noProxy: 'a,b' },
  ],
  [{ http_proxy: 'http://small:1', HTTP_PROXY: 'http://big:1' }, { httpProxy: 'http://small:1' }],
])('the proxies of %j', (environment, settings) => {
  expect(proxySettings(environment)).toEqual(settings);
});
