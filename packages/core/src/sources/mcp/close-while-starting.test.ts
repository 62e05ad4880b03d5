import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as tick } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../../../test/fixtures/temporary-folder.ts';
import { ownerMark, processesMarked, stopProcesses } from '../../supervisor/index.ts';
import { McpSource } from './source.ts';

/** A server that says when it got a request, answers those it is told to, and does not care that its input ended. */
async function stubborn(answers: object) {
  const folder = await temporaryFolder();
  const file = join(folder, 'server.mjs');
  await writeFile(
    file,
    `import { createInterface } from 'node:readline';
const answers = ${JSON.stringify(answers)};
setInterval(() => undefined, 1_000);
createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method } = JSON.parse(line);
  process.stderr.write(method + '\\n');
  if (method in answers) process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id, result: answers[method] }) + '\\n');
  else if (id !== undefined && method === 'server/discover')
    process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32601, message: 'no' } }) + '\\n');
});
`,
  );
  const owner = randomUUID();
  onTestFinished(async () => stopProcesses(await processesMarked(ownerMark, owner)));
  const heard: string[] = [];
  let tell: () => void = () => undefined;
  const source = new McpSource({
    id: 'slow',
    owner,
    target: { kind: 'stdio', command: process.execPath, args: [file], cwd: folder },
    onLog: (line) => {
      heard.push(line);
      tell();
    },
  });
  const hears = (method: string) =>
    new Promise<void>((settle) => {
      tell = () => heard.includes(method) && settle();
      tell();
    });
  return { source, hears, left: () => processesMarked(ownerMark, owner) };
}

const initialize = {
  protocolVersion: '2025-06-18',
  capabilities: { tools: {} },
  serverInfo: { name: 's', version: '1' },
};

describe('a source that is closed while it starts leaves no process', () => {
  test.each([0, 1, 2, 5, 10])('%i ticks after the beginning', async (ticks) => {
    const { source, left } = await stubborn({});
    const starting = source.start();
    for (let count = 0; count < ticks; count++) await tick();
    await source.close();
    await starting;
    expect(await left()).toEqual([]);
  });

  test('before the server has said what it is', async () => {
    const { source, hears, left } = await stubborn({});
    const starting = source.start();
    await hears('initialize');
    await source.close();
    await starting;
    expect(await left()).toEqual([]);
  });

  test('at once, while the server owes its list', async () => {
    const { source, hears, left } = await stubborn({ initialize });
    const starting = source.start();
    await hears('tools/list');
    await source.close();
    await starting;
    expect(await left()).toEqual([]);
    expect(source.health().status).toBe('stopped');
  });
});
