import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { hasPython } from '../../../test/fixtures/python.ts';
import { PluginSource } from './source.ts';

let folder: string;
let source: PluginSource;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plugin-'));
  source = new PluginSource({ folder, secrets: async () => ({ WANTED: 'yes', OTHER: 'no' }) });
});

afterEach(async () => {
  await source.close();
  await rm(folder, { recursive: true, force: true });
});

const call = { signal: new AbortController().signal };
const toolNamed = (end: string) => source.list().find(({ name }) => name.endsWith(end));

async function start(file: string, text: string): Promise<void> {
  await writeFile(join(folder, file), text);
  await source.start();
}

const python = `
import argparse, json, os, sys
p = argparse.ArgumentParser(description='Looks after things.')
s = p.add_subparsers(dest='command', required=True)
a = s.add_parser('add-item', help='Adds an item')
a.add_argument('name', help='its name')
a.add_argument('--count', type=int, default=1, metavar='INT', help='how many (default: %(default)s)')
a.add_argument('--color', choices=['red', 'blue'], required=True)
a.add_argument('--dry-run', action='store_true', help='only show')
a.add_argument('--tag', nargs='*', help='words')
f = s.add_parser('fail', help='Fails')
args = p.parse_args()
if args.command == 'fail':
    print('the disk is on fire', file=sys.stderr)
    sys.exit(3)
print(json.dumps({**vars(args), 'wanted': os.environ.get('WANTED'), 'other': os.environ.get('OTHER')}))
`;

describe.skipIf(!hasPython)('A plugin written with argparse', () => {
  it('becomes tools with types, choices, flags and lists', async () => {
    await start('cli.py', python);
    expect(source.health()).toEqual({ status: 'ready' });
    expect(toolNamed('_add-item')).toMatchObject({
      description: 'Adds an item',
      inputSchema: {
        properties: {
          name: { type: 'string', description: 'its name' },
          count: { type: 'integer', default: 1 },
          color: { type: 'string', enum: ['red', 'blue'] },
          dry_run: { type: 'boolean' },
          tag: { type: 'array', items: { type: 'string' } },
        },
        required: ['name', 'color'],
      },
    });
  });

  it('gets arguments as they are, also those that look like options or shell', async () => {
    await writeFile(join(folder, 'plugin.json'), '{"secrets": ["WANTED"]}');
    await start('cli.py', python);
    const name = toolNamed('_add-item')?.name ?? '';
    const args = { name: '--$(rm -rf x); "', color: 'red', dry_run: true, tag: ['a', 'b c'], count: -2 };
    const result = await source.call(name, args, call);
    expect(result.structuredContent).toMatchObject({ ...args, wanted: 'yes', other: null });
  });

  it('answers with the errors of the program, and refuses wrong arguments before', async () => {
    await start('cli.py', python);
    const failed = await source.call(toolNamed('_fail')?.name ?? '', {}, call);
    expect(failed).toMatchObject({ isError: true });
    expect(JSON.stringify(failed)).toMatch(/exit code 3.*the disk is on fire/);
    const wrong = await source.call(toolNamed('_add-item')?.name ?? '', { name: 'x', color: 'green' }, call);
    expect(JSON.stringify(wrong)).toMatch(/Wrong arguments.*color/);
  });

  it('keeps its commands while a newer version does not load', async () => {
    await start('cli.py', python);
    await writeFile(join(folder, 'cli.py'), 'this is no python');
    await source.reload();
    expect(source.health()).toMatchObject({ status: 'degraded', reason: expect.stringContaining('SyntaxError') });
    expect(source.list()).toHaveLength(2);
  });
});

describe('A plugin that describes itself', () => {
  const script = (body: string) =>
    `if [ "$1" = --help ]; then echo "Options: --help --describe"; exit; fi\nif [ "$1" = --describe ]; then echo '{"commands":[{"description":"Runs."}]}'; exit; fi\n${body}\n`;
  const only = () => source.list()[0]?.name ?? '';

  it('is one tool with the name of the plugin', async () => {
    await start('cli.sh', script('echo plain text'));
    expect(only()).toBe(source.id);
    expect(await source.call(only(), {}, call)).toEqual({ content: [{ type: 'text', text: 'plain text' }] });
  });

  it('is ended when it floods its output', async () => {
    await writeFile(join(folder, 'plugin.json'), '{"max_output_bytes": 2000}');
    await start('cli.sh', script('while :; do echo xxxxxxxxxxxxxxxxxxxxxxxx; done'));
    await expect(source.call(only(), {}, call)).rejects.toMatchObject({ code: 'too_large' });
  });

  it('is ended when it takes too long', async () => {
    await writeFile(join(folder, 'plugin.json'), '{"timeout_seconds": 0.2}');
    await start('cli.sh', script('sleep 1000'));
    await expect(source.call(only(), {}, call)).rejects.toMatchObject({ code: 'timeout' });
  });

  it('is ended with what it detached when the call is withdrawn, and tells progress', async () => {
    await start('cli.sh', script('setsid sleep 1000 &\necho $! >&2\nwait'));
    const withdrawn = new AbortController();
    let pid = 0;
    const onProgress = ({ message }: { message?: string }) => {
      pid = Number(message);
      withdrawn.abort();
    };
    await expect(source.call(only(), {}, { signal: withdrawn.signal, onProgress })).rejects.toMatchObject({
      code: 'cancelled',
    });
    // Whoever takes it over may take a moment to notice that it has ended.
    await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow('ESRCH'), { timeout: 30_000 });
  });

  it.skipIf(!existsSync('/bin/bash'))('may be written for the shell that its first line names', async () => {
    await start('cli.sh', `#!/usr/bin/env bash\n${script('words=(a b); echo "${words[1]}"')}`);
    expect(await source.call(only(), {}, call)).toEqual({ content: [{ type: 'text', text: 'b' }] });
    await start('cli.sh', `#!/nowhere/sh\n${script('echo sh')}`);
    expect(await source.call(only(), {}, call)).toEqual({ content: [{ type: 'text', text: 'sh' }] });
  });

  it('may answer with bytes', async () => {
    await start('cli.sh', script("printf '\\000\\001'"));
    expect(JSON.stringify(await source.call(only(), {}, call))).toContain('"blob":"AAE="');
  });
});

it('A plugin without a program, or with wrong settings, says what to do', async () => {
  await source.start();
  expect(source.health()).toMatchObject({ status: 'down', reason: expect.stringContaining('Add cli.py') });
  await writeFile(join(folder, 'plugin.json'), '{"secret": 1}');
  await start('cli.sh', 'echo');
  expect(source.health().reason).toMatch(/plugin\.json.*secret/s);
});
