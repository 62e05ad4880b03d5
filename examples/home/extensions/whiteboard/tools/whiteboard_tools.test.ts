import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { callTool } from '../../../test/call-tool.ts';
import { TOOLS } from './whiteboard_tools.ts';

/** The service as Luna runs it, on data of its own. */
async function runningBoard(): Promise<string> {
  const data = await mkdtemp(join(tmpdir(), 'whiteboard-'));
  const placeholder = createServer().listen(0, '127.0.0.1');
  await once(placeholder, 'listening');
  const { port } = placeholder.address() as { port: number };
  placeholder.close();
  const service = spawn('sh', ['start.sh', String(port)], {
    cwd: join(import.meta.dirname, '..', 'services', 'board'),
    env: { ...process.env, LUNA_DATA_DIR: join(data, 'not', 'there', 'yet') },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(async () => {
    service.kill();
    await once(service, 'exit');
    await rm(data, { recursive: true, force: true });
  });
  await once(service.stdout, 'data');
  return `http://127.0.0.1:${port}`;
}

test('what is drawn and written is on the board, until it is wiped', async () => {
  const services = { board: await runningBoard() };
  const call = (name: string, args: unknown) => callTool(TOOLS, name, args, '', services);
  await call('whiteboard_draw', {
    points: [
      [0, 0],
      [1000, 600],
    ],
  });
  await call('whiteboard_write', { at: [10, 20], text: 'hello', color: '#00ff00' });
  expect((await call('whiteboard_look', {})).structuredContent).toEqual({
    shapes: [
      {
        id: 1,
        kind: 'line',
        points: [
          [0, 0],
          [1000, 600],
        ],
        color: '#1f2937',
        width: 3,
      },
      { id: 2, kind: 'text', at: [10, 20], text: 'hello', color: '#00ff00' },
    ],
  });
  await expect(call('whiteboard_draw', { points: [[0, 0]] })).rejects.toThrow(TypeError);
  expect((await call('whiteboard_clear', {})).text).toBe('The whiteboard is empty.');
  expect((await call('whiteboard_look', {})).structuredContent).toEqual({ shapes: [] });
});

test.each([
  ['{', 400],
  ['{"kind":"line","points":[[0,0],[2000,0]]}', 400],
  ['{"kind":"text","at":[1,1],"text":"","color":"#000000"}', 400],
  ['{"kind":"text","at":[1,1],"text":"x","color":"red"}', 400],
  [`{"kind":"${'x'.repeat(300_000)}"}`, 400],
])('the service refuses what is no shape, case %#', async (body, status) => {
  const board = await runningBoard();
  expect((await fetch(`${board}/shapes`, { method: 'POST', body })).status).toBe(status);
  expect(await (await fetch(`${board}/shapes`)).json()).toEqual({ shapes: [] });
});

test('says when its service does not run', async () => {
  await expect(callTool(TOOLS, 'whiteboard_look', {})).rejects.toThrow('does not run');
});
