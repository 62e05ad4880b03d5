import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { eventually } from '../../../test/fixtures/eventually.ts';
import { startExtension, textOf, toolFile } from '../../../test/fixtures/extension-folder.ts';
import type { SourceHealth } from '../../tools/index.ts';

/** A tool that tells its version, at once or once its caller has heard of its progress and lets it go on. */
const version = (number: number) => `
  const { promise, resolve } = Promise.withResolvers();
  export const TOOLS = [
    { name: 'version', description: 'Version ${number}.', handler: () => 'version ${number}' },
    { name: 'wait', description: 'Waits.', handler: async (_args, { progress }) => {
      progress({ progress: 1 }); await promise; return 'waited in ${number}'; } },
    { name: 'go', description: 'Lets go.', handler: () => resolve() },
  ];`;

describe('a saved version', () => {
  test('serves new calls at once, while a call under way ends in the old one', async () => {
    const slow = (number: number) =>
      toolFile(
        'wait',
        `async (_args, { progress, signal }) => {
          if (${number} === 2) return 'waited in 2';
          progress({ progress: 1 });
          const { existsSync } = await import('node:fs');
          while (!existsSync(import.meta.dirname + '/go')) await new Promise((settle) => setTimeout(settle, 10));
          return 'waited in 1'; }`,
      );
    const { source, write, call } = await startExtension({ 'tools/a_tools.ts': slow(1) });
    const began = Promise.withResolvers<void>();
    let ended = false;
    const waiting = call('wait', {}, { onProgress: () => began.resolve() }).finally(() => {
      ended = true;
    });
    await began.promise;
    await write({ 'tools/a_tools.ts': slow(2) });
    await source.reload();
    expect(textOf(await call('wait'))).toBe('waited in 2');
    expect(ended).toBe(false);
    await write({ 'tools/go': '' });
    expect(textOf(await waiting)).toBe('waited in 1');
  });

  test('tells of a change of tools once, and of none where there is none', async () => {
    const { source, write } = await startExtension({ 'tools/a_tools.ts': version(1) });
    const before = source.list();
    const lists = new Set([before]);
    source.onChange(() => lists.add(source.list()));
    await write({ 'tools/a_tools.ts': `${version(1)}\n// a remark` });
    await source.reload();
    expect(source.list()).toBe(before);
    await write({ 'tools/a_tools.ts': version(2) });
    await source.reload();
    expect(source.list()[0]?.description).toBe('Version 2.');
    expect(lists.size).toBe(2);
  });

  test('may bring, change and take away files, also those that are imported', async () => {
    const { source, folder, write, call } = await startExtension({
      'tools/a_tools.js': `import { word } from '../lib/word.js'; ${toolFile('a', '() => word')}`,
      'tools/b_tools.js': toolFile('b', '() => 1'),
      'lib/word.js': 'export const word = "one";',
    });
    expect(textOf(await call('a'))).toBe('one');
    await write({ 'lib/word.js': 'export const word = "two";', 'tools/c_tools.js': toolFile('c', '() => 1') });
    await rm(join(folder, 'tools', 'b_tools.js'));
    await source.reload();
    expect(source.list().map(({ name }) => name)).toEqual(['a', 'c']);
    expect(textOf(await call('a'))).toBe('two');
  });

  test('that does not load leaves the last good one serving, and says so until it is repaired', async () => {
    const { source, write, call } = await startExtension({ 'tools/a_tools.ts': version(1) });
    await write({ 'tools/a_tools.ts': 'export const TOOLS = [;\n' });
    await source.reload();
    expect(source.health()).toEqual({
      status: 'degraded',
      reason: expect.stringMatching(/a_tools\.ts:1: .* \(the last good version goes on serving\)$/s),
    });
    expect(textOf(await call('version'))).toBe('version 1');
    expect(source.list()).toHaveLength(3);
    await write({ 'tools/a_tools.ts': version(2) });
    await source.reload();
    expect(source.health()).toEqual({ status: 'ready' });
    expect(textOf(await call('version'))).toBe('version 2');
  });

  test('that is the first one to load makes a broken extension ready', async () => {
    const { source, write, call } = await startExtension({ 'tools/a_tools.ts': 'not code' });
    expect(source.health().status).toBe('down');
    await write({ 'tools/a_tools.ts': version(1) });
    await source.reload();
    expect(source.health()).toEqual({ status: 'ready' });
    expect(textOf(await call('version'))).toBe('version 1');
  });

  test('is the last one when several are saved at one time', async () => {
    const { source, write, call } = await startExtension({ 'tools/a_tools.ts': version(0) });
    const reloads: Promise<void>[] = [];
    for (const number of [1, 2, 3]) {
      await write({ 'tools/a_tools.ts': version(number) });
      reloads.push(source.reload());
    }
    await Promise.all(reloads);
    expect(textOf(await call('version'))).toBe('version 3');
    expect(source.list()[0]?.description).toBe('Version 3.');
  });

  test('does not wait for one that never finishes loading', async () => {
    const { source, write, call, log } = await startExtension({ 'tools/a_tools.ts': version(1) });
    await write({
      'tools/a_tools.ts': 'console.log("loading"); await new Promise(() => setInterval(() => {}, 1000));',
    });
    const stuck = source.reload();
    await eventually(() => log).toContain('loading');
    await write({ 'tools/a_tools.ts': version(2) });
    await source.reload();
    await stuck;
    expect(textOf(await call('version'))).toBe('version 2');
    expect(source.health()).toEqual({ status: 'ready' });
  });

  test('ends the old one at the limit, where a call in it does not end', async () => {
    const { source, write, call } = await startExtension({ 'tools/a_tools.ts': version(1) }, { drainLimitMs: 50 });
    const began = Promise.withResolvers<void>();
    const waiting = call('wait', {}, { onProgress: () => began.resolve() }).catch((error) => error);
    await began.promise;
    await write({ 'tools/a_tools.ts': version(2) });
    await source.reload();
    expect(await waiting).toMatchObject({ code: 'source_unavailable' });
    expect(textOf(await call('version'))).toBe('version 2');
    expect(source.health()).toEqual({ status: 'ready' });
  });
});

describe('closing', () => {
  test('ends calls in all versions at once', async () => {
    const { source, write, call } = await startExtension({ 'tools/a_tools.ts': version(1) });
    const began = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const first = call('wait', {}, { onProgress: () => began[0]?.resolve() });
    await began[0]?.promise;
    await write({ 'tools/a_tools.ts': version(2) });
    await source.reload();
    const second = call('wait', {}, { onProgress: () => began[1]?.resolve() });
    await began[1]?.promise;
    const outcomes = Promise.allSettled([first, second]);
    await source.close();
    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'source_unavailable' } });
    }
    expect(source.health()).toEqual({ status: 'stopped' });
    await expect(call('version')).rejects.toMatchObject({ code: 'source_unavailable' });
  });

  test('does not wait for a version that never finishes loading', async () => {
    const { source, write, log } = await startExtension({ 'tools/a_tools.ts': version(1) });
    // What it prints comes out because the import yields once.
    await write({ 'tools/a_tools.ts': 'console.log("loading"); await new Promise(setImmediate); for (;;);' });
    const loading = source.reload();
    await eventually(() => log).toContain('loading');
    await source.close();
    await loading;
    expect(source.health()).toEqual({ status: 'stopped' });
  });

  test('is final for reloads, twice is once, and a new start serves again', async () => {
    const { source, call } = await startExtension({ 'tools/a_tools.ts': version(1) });
    await Promise.all([source.close(), source.close()]);
    await source.reload();
    expect(source.health()).toEqual({ status: 'stopped' });
    const seen: SourceHealth[] = [];
    source.onChange(() => seen.push(source.health()));
    await source.start();
    expect(textOf(await call('version'))).toBe('version 1');
    await eventually(() => seen.map(({ status }) => status)).toEqual(['starting', 'ready']);
  });
});
