import type { JSONRPCMessage } from '@modelcontextprotocol/client';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eventually } from '../../../test/fixtures/eventually.ts';
import { temporaryFolder } from '../../../test/fixtures/temporary-folder.ts';
import { identify } from '../../supervisor/index.ts';
import { StdioTransport, type StdioTransportOptions } from './stdio-transport.ts';

const isGone = async (pid: number) => (await identify(pid)) === undefined;

interface Started {
  readonly transport: StdioTransport;
  readonly messages: JSONRPCMessage[];
  readonly errors: string[];
  readonly closed: Promise<void>;
}

/** A transport to a process that runs a script, with all that it has told. */
async function started(script: string, more: Partial<StdioTransportOptions> = {}): Promise<Started> {
  const cwd = await temporaryFolder();
  const transport = new StdioTransport({ command: process.execPath, args: ['-e', script], cwd, ...more });
  const [messages, errors]: [JSONRPCMessage[], string[]] = [[], []];
  transport.onmessage = (message) => messages.push(message);
  transport.onerror = (error) => errors.push(error.message);
  const closed = new Promise<void>((settle) => {
    transport.onclose = settle;
  });
  onTestFinished(() => transport.close());
  await transport.start();
  return { transport, messages, errors, closed };
}

const message = (id: number) => ({ jsonrpc: '2.0' as const, id, method: 'm' });
const idle = 'setInterval(() => {}, 1000);';
/** Goes on until its input ends, as a server should. */
const serve = `process.stdin.resume().on('end', () => process.exit()); ${idle}`;

describe('what a server writes', () => {
  test('is read line by line, in whatever pieces it comes', async () => {
    const { messages } = await started(`
      const text = JSON.stringify({ jsonrpc: '2.0', id: 1, result: { text: 'häl🌙lo' } }) + '\\r\\n\\n  \\n' + JSON.stringify({ jsonrpc: '2.0', id: 2, result: {} }) + '\\n';
      const bytes = Buffer.from(text);
      (async () => { for (const byte of bytes) await new Promise((settle) => process.stdout.write(Buffer.from([byte]), settle)); })(); ${serve}`);
    await eventually(() => messages).toEqual([
      { jsonrpc: '2.0', id: 1, result: { text: 'häl🌙lo' } },
      { jsonrpc: '2.0', id: 2, result: {} },
    ]);
  });

  test('as a batch is its messages', async () => {
    const { messages } = await started(
      `console.log('[{"jsonrpc":"2.0","id":1,"result":{}},7,{"method":"m"}]'); ${serve}`,
    );
    await eventually(() => messages).toEqual([{ jsonrpc: '2.0', id: 1, result: {} }, { method: 'm' }]);
  });

  test('and is no JSON is reported and passed over', async () => {
    const { messages, errors } = await started(`
      console.log('Server is starting...'); console.log('7'); console.log('null'); console.log('{"half":');
      console.log(JSON.stringify({ jsonrpc: '2.0', id: 1, result: {} })); ${serve}`);
    await eventually(() => messages).toEqual([{ jsonrpc: '2.0', id: 1, result: {} }]);
    expect(errors).toHaveLength(2);
    expect(errors[0]).toContain('Not JSON on standard output: Server is starting...');
  });

  test('in one line of many megabytes arrives whole', async () => {
    const { messages } = await started(
      `process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id: 1, result: { text: 'x'.repeat(20_000_000) } }) + '\\n'); ${serve}`,
    );
    await eventually(() => messages.length).toBe(1);
    expect(JSON.stringify(messages[0]).length).toBeGreaterThan(20_000_000);
  });

  test('without ever ending its line ends the connection, in bounded memory', async () => {
    const before = process.memoryUsage().rss;
    const { transport, closed, messages } = await started(
      `const chunk = 'x'.repeat(1 << 20); (function more() { process.stdout.write(chunk, more); })();`,
      { maxLineBytes: 4 << 20 },
    );
    const { pid = 0 } = transport;
    await closed;
    expect(transport.exit).toBe(`sent a line of more than ${4 << 20} bytes and was stopped`);
    await eventually(() => isGone(pid)).toBe(true);
    expect(messages).toEqual([]);
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024);
  });

  test('to standard error is kept, the last of it', async () => {
    const heard: string[] = [];
    const { transport } = await started(
      `for (let n = 1; n <= 30; n++) console.error('line ' + n + 'x'.repeat(n === 30 ? 10_000 : 0)); ${serve}`,
      { onLog: (line) => heard.push(line) },
    );
    await eventually(() => heard.length).toBe(30);
    expect(transport.log()).toHaveLength(20);
    expect(transport.log()[0]).toBe('line 11');
    expect(transport.log()[19]).toHaveLength(2_000);
  });
});

describe('a server that ends', () => {
  test('is told with how it ended, and nothing more can be sent', async () => {
    const { transport, closed } = await started('process.exit(7)');
    await closed;
    expect(transport.exit).toBe('ended with exit code 7');
    await expect(transport.send(message(1))).rejects.toMatchObject({
      code: 'source_unavailable',
      message: 'The server ended with exit code 7.',
    });
  });

  test('takes what it had started with it', async () => {
    const { closed, errors } = await started(`
      const other = require('child_process').spawn(process.execPath, ['-e', '${idle}'], { stdio: 'ignore' });
      console.log(other.pid); process.stdout.write('pid ' + other.pid + '\\n', () => process.exit(0));`);
    await closed;
    const pid = Number(/pid (\d+)/.exec(errors.join(' '))?.[1]);
    expect(pid).toBeGreaterThan(0);
    await eventually(() => isGone(pid)).toBe(true);
  });

  test('is heard to its last word', async () => {
    for (let round = 0; round < 5; round++) {
      const { closed, messages } = await started(
        `process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id: 1, result: { text: 'x'.repeat(3_000_000) } }) + '\\n', () => process.exit(0));`,
      );
      await closed;
      expect(messages).toHaveLength(1);
    }
  });

  test('is told in a moment, though what it had started does not end so soon', async () => {
    const { closed, errors, transport } = await started(`
      const other = require('child_process').spawn(process.execPath, ['-e', 'process.on("SIGTERM", () => {}); console.log("pid " + process.pid); ${idle}'], { stdio: 'inherit' });
      ${idle}`);
    await eventually(() => errors.length).toBe(1);
    const pid = Number(/pid (\d+)/.exec(errors.join(' '))?.[1]);
    process.kill(transport.pid ?? 0, 'SIGKILL');
    await closed;
    expect(await isGone(pid)).toBe(false);
    await transport.close();
    await eventually(() => isGone(pid)).toBe(true);
  });

  test('while much is being sent to it breaks nothing else', async () => {
    const { transport, closed } = await started('process.stdin.once("data", () => process.exit(0))');
    const big = { ...message(1), params: { text: 'x'.repeat(5_000_000) } };
    await Promise.allSettled([transport.send(big), transport.send(big)]);
    await closed;
  });
});

describe('closing', () => {
  test('lets a server end by itself when its input ends', async () => {
    const { transport } = await started(`process.stdin.resume().on('end', () => process.exit(5));`);
    await transport.close();
    expect(transport.exit).toBe('ended with exit code 5');
  });

  test('ends one that does not care for its input, and all that it started', async () => {
    const { transport, errors } = await started(`
      const other = require('child_process').spawn(process.execPath, ['-e', '${idle}'], { stdio: 'ignore' });
      console.log('pid ' + other.pid); ${idle}`);
    await eventually(() => errors.length).toBe(1);
    const grandchild = Number(/pid (\d+)/.exec(errors[0] ?? '')?.[1]);
    const { pid = 0 } = transport;
    await Promise.all([transport.close(), transport.close()]);
    expect(await isGone(pid)).toBe(true);
    await eventually(() => isGone(grandchild)).toBe(true);
  });

  test('before the start is nothing', async () => {
    const transport = new StdioTransport({ command: 'x', cwd: '/' });
    await transport.close();
    expect(transport.exit).toBe('was closed');
  });
});

test('a program that is not there is named', async () => {
  const transport = new StdioTransport({ command: 'no-such-server', cwd: '/' });
  await expect(transport.start()).rejects.toMatchObject({ code: 'command_not_found' });
});
