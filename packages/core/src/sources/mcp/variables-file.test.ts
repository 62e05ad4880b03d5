import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../../../test/fixtures/temporary-folder.ts';
import { McpSource } from './source.ts';

const server = fileURLToPath(new URL('../../../test/fixtures/feature-stdio-server.ts', import.meta.url));

async function sourceWith(envFile: string): Promise<McpSource> {
  const target = {
    kind: 'stdio',
    command: process.execPath,
    args: [server, 'v2 2025'],
    env: { BOTH: 'from ${KEY}' },
    envFile,
  } as const;
  const source = new McpSource({ id: 'local', target, secrets: async () => ({ KEY: 'env' }) });
  onTestFinished(() => source.close());
  await source.start();
  return source;
}

test('a command gets the variables of its file; those of its own settings win', async () => {
  const file = join(await temporaryFolder(), '.env.local');
  await writeFile(file, '# for the server\nONLY="from file"\nBOTH=from file\n');
  const source = await sourceWith(file);
  const result = await source.call('tell', {}, { signal: new AbortController().signal });
  const { env } = JSON.parse(String(result.content[0]?.text));
  expect([env.ONLY, env.BOTH]).toEqual(['from file', 'from env']);
});

test('a file that is not there is named', async () => {
  const file = join(await temporaryFolder(), 'none');
  const source = await sourceWith(file);
  expect(source.health()).toMatchObject({ status: 'down', reason: expect.stringContaining(file) });
});
