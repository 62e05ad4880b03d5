import { expect, test } from 'vitest';
import { homeOf } from './support/homes.ts';
import { luna, startLuna } from './support/luna-process.ts';

const greeting = 'if [ "$1" = --help ]; then echo "Usage: greet <name>"; exit; fi\necho "Hello, $1"\n';

test('plugins are listed and asked from the terminal and by the API; a broken one says why', async () => {
  const home = await homeOf({
    'plugins/greet/cli.sh': greeting,
    'plugins/broken/cli.sh': 'echo "no such module" >&2\nexit 3\n',
  });
  const listed = await luna(['plugin', 'list', '--home', home, '--json']);
  expect(JSON.parse(listed.stdout)).toMatchObject([
    { name: 'broken', status: 'down', reason: expect.stringContaining('no such module'), tools: [] },
    { name: 'greet', status: 'ready', tools: ['greet'] },
  ]);
  expect((await luna(['plugin', 'test', 'greet', '--home', home])).stdout.trim()).toBe('greet');
  for (const [args, why] of [
    [['test', 'broken'], /no such module/],
    [['test', 'none'], /no plugin "none"/],
    [['install', '../x'], /cannot be the name/],
  ] as const) {
    const refused = await luna(['plugin', ...args, '--home', home]);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringMatching(why)]);
  }
  expect((await luna(['plugin', 'install', 'greet', '--home', home])).stdout).toContain('depends on nothing');

  const running = await startLuna(home);
  const { plugins } = await (await running.api('GET', 'plugins')).json();
  expect(plugins).toMatchObject([
    { id: 'broken', health: { status: 'down' } },
    { id: 'greet', health: { status: 'ready' }, tools: [{ name: 'greet' }] },
  ]);
  const answer = await running.api('POST', 'tools/call', { name: 'greet', args: { name: 'Ada; touch x' } });
  expect((await answer.json()).result.content[0].text).toContain('Hello, Ada; touch x');
});
