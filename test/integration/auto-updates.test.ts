import { expect, test } from 'vitest';
import { commitTo, serveGit } from '../../packages/core/test/fixtures/git-server.ts';
import { eventually } from './support/eventually.ts';
import { fixedTool, homeOf } from './support/homes.ts';
import { luna, type RunningLuna, startLuna, temporaryFolder } from './support/luna-process.ts';

const notes = (version: string, secrets: readonly string[] = []) => ({
  'config.json': JSON.stringify({ name: 'notes', version, auto_update: true, required_secrets: secrets }),
  'tools/notes_tools.js': fixedTool('note', version),
});
const extension = async (running: RunningLuna) => (await running.api('GET', 'extensions/notes')).json();
const answerOf = async (running: RunningLuna) => {
  const { result } = await (await running.api('POST', 'tools/call', { name: 'note' })).json();
  return result.content[0].text;
};

test('an extension is updated by itself while Luna runs, and waits for a person once it wants a key', async () => {
  const repositories = await temporaryFolder();
  const server = await serveGit(repositories);
  await commitTo(repositories, 'notes', notes('1.0.0'));
  const settings = { git_protocols: ['http'], allowed_private_hosts: ['127.0.0.1'], auto_update_hours: 0.0003 };
  const running = await startLuna(await homeOf({ 'master_config.json': JSON.stringify({ luna: settings }) }));
  const added = await luna(['ext', 'add', `${server.url}/notes.git`, '--yes', '--home', running.home]);
  expect(added.stdout).toContain('It is updated by itself from then on');

  await commitTo(repositories, 'notes', notes('1.1.0'));
  await eventually(async () => expect(await answerOf(running)).toContain('1.1.0'), 60_000);

  await commitTo(repositories, 'notes', notes('1.2.0', ['TOKEN']));
  await eventually(async () => {
    expect((await extension(running)).pendingUpdate).toMatchObject({
      version: '1.2.0',
      state: 'waits',
      reason: expect.stringContaining('asks for the key TOKEN'),
    });
  }, 60_000);
  expect(await answerOf(running)).toContain('1.1.0');
  expect((await luna(['ext', 'list', '--home', running.home])).stdout).toContain('1.1.0 (1.2.0 waits)');
});
