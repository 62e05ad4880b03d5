import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../test/fixtures/temporary-folder.ts';
import { SessionLog } from './session-log.ts';

const lost = (reason: string) => ({ event: 'lost', code: 'source_unavailable', reason }) as const;

async function logIn(folder: string, maxBytes?: number) {
  const errors: string[] = [];
  const file = join(folder, 'logs', 'sessions.log');
  const redact = (text: string) => text.replaceAll('hunter2', '•••');
  const log = new SessionLog({ file, redact, maxBytes, onError: (message) => errors.push(message) });
  const lines = async (name = file) =>
    (await readFile(name, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  return { log, file, errors, lines };
}

test('each event is a line of JSON with its time and server, in order, without secrets', async () => {
  const { log, file, lines } = await logIn(await temporaryFolder());
  log.write('one', { event: 'connected', transport: 'http', protocolVersion: '2025-11-25', tools: 3 });
  log.write('two', lost('The key hunter2\nis wrong.'));
  await log.flushed();
  expect(await lines()).toEqual([
    {
      time: expect.stringMatching(/Z$/),
      server: 'one',
      event: 'connected',
      transport: 'http',
      protocolVersion: '2025-11-25',
      tools: 3,
    },
    {
      time: expect.any(String),
      server: 'two',
      event: 'lost',
      code: 'source_unavailable',
      reason: 'The key •••\nis wrong.',
    },
  ]);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

test('the log does not grow without end, over restarts too', async () => {
  const folder = await temporaryFolder();
  for (let round = 0; round < 3; round++) {
    const { log } = await logIn(folder, 2_000);
    for (let count = 0; count < 20; count++) log.write('one', lost(`round ${round}, ${count}`));
    await log.flushed();
  }
  const { file, lines } = await logIn(folder);
  expect((await stat(file)).size).toBeLessThanOrEqual(2_000);
  expect((await stat(`${file}.1`)).size).toBeLessThanOrEqual(2_000);
  expect((await lines()).at(-1)?.reason).toBe('round 2, 19');
});

test('a log that cannot be written is told of, and nothing else fails', async () => {
  const folder = await temporaryFolder();
  const { log, file, errors } = await logIn(folder);
  await mkdir(file, { recursive: true });
  log.write('one', lost('first'));
  await log.flushed();
  expect(errors).toEqual([expect.stringContaining('EISDIR')]);
});
