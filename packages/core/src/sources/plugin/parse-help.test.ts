import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { argumentsOf } from './arguments.ts';
import { parseHelp } from './parse-help.ts';
import { PluginSource } from './source.ts';

const fixture = (name: string) => readFileSync(join(import.meta.dirname, 'fixtures', name), 'utf8');

/** Name, type and what is special of each parameter, in short. */
function shortly(help: ReturnType<typeof parseHelp>): Record<string, string> {
  return Object.fromEntries(
    help.parameters.map(({ name, type, list, choices, default: given, required }) => [
      name,
      `${type}${list ? '…' : ''}${required ? '!' : ''}${choices ? ` ${choices.join('|')}` : ''}${given === undefined ? '' : `=${given}`}`,
    ]),
  );
}

describe('The help of real programs', () => {
  it('reads click', () => {
    expect(shortly(parseHelp(fixture('click-flask-run.txt'), ['run']))).toEqual({
      debug: 'flag',
      host: 'string',
      port: 'integer',
      cert: 'string',
      key: 'string',
      reload: 'flag',
      debugger: 'flag',
      with_threads: 'flag',
      extra_files: 'string',
      exclude_patterns: 'string',
    });
  });

  it('reads cobra', () => {
    const docker = parseHelp(fixture('cobra-docker.txt'));
    expect(docker.description).toBe('A self-sufficient runtime for containers');
    expect(docker.commands).toContainEqual({ name: 'ps', description: 'List containers' });
    expect(shortly(parseHelp(fixture('cobra-docker-ps.txt'), ['ps']))).toEqual({
      all: 'flag',
      filter: 'string',
      format: 'string',
      last: 'integer=-1',
      latest: 'flag',
      no_trunc: 'flag',
      quiet: 'flag',
      size: 'flag',
    });
  });

  it('reads clap', () => {
    const hyperfine = parseHelp(fixture('clap-hyperfine.txt'));
    expect(hyperfine.commands).toEqual([]);
    expect(shortly(hyperfine)).toMatchObject({
      command: 'string…!',
      warmup: 'string',
      min_runs: 'string=10',
      show_output: 'flag',
      export_json: 'string',
    });
    expect(shortly(parseHelp(fixture('clap-fd.txt')))).toMatchObject({
      pattern: 'string',
      path: 'string…',
      unrestricted: 'flag',
      hidden: 'flag',
      threads: 'string',
    });
  });

  it('reads typer', () => {
    expect(parseHelp(fixture('typer-users.txt')).commands).toEqual([
      { name: 'create', description: 'Creates a user.' },
      { name: 'delete', description: 'Deletes a user.' },
    ]);
    expect(shortly(parseHelp(fixture('typer-create.txt'), ['create']))).toEqual({
      name: 'string!',
      admin: 'flag',
      age: 'integer=18',
    });
  });

  it('reads argparse', () => {
    expect(shortly(parseHelp(fixture('argparse-zipfile.txt')))).toMatchObject({
      list: 'string',
      create: 'string…',
      metadata_encoding: 'string',
    });
  });

  it('reads commander', () => {
    expect(shortly(parseHelp(fixture('commander-depcruise.txt')))).toMatchObject({
      files_or_directories: 'string…',
      metrics: 'flag',
      output_type: 'string=err',
      focus_depth: 'number=1',
      cache_strategy: 'string metadata|content',
    });
  });

  it('reads argparse with two kinds of positionals, several values, and flags that can be switched off', () => {
    const help = parseHelp(
      `usage: add [-h] [--pair X Y] [--active | --no-active] name [emails ...]

positional arguments:
  name
  emails

options:
  --pair X Y
  --active, --no-active
`,
    );
    expect(shortly(help)).toEqual({ name: 'string!', emails: 'string…', pair: 'string…', active: 'flag' });
    expect(help.parameters.at(-1)).toMatchObject({ option: '--active', off: '--no-active' });
    expect(
      argumentsOf({ path: [], parameters: [...help.parameters] }, { name: 'a', pair: ['1', '-2.5'], active: false }),
    ).toEqual(['--pair', '1', '-2.5', '--no-active', 'a']);
  });

  it('reads what the usage alone tells, and what stands beside a command in a list', () => {
    expect(shortly(parseHelp('usage: p [-v] [--out=FILE] [--mode {fast|slow}] INPUT...\n'))).toEqual({
      input: 'string…!',
      v: 'flag',
      out: 'string',
      mode: 'string fast|slow',
    });
    expect(
      parseHelp('Commands:\n  greet <name> [--loud]  Greets\n  now Tells\n  rm FILE...  Removes\n').commands,
    ).toEqual([
      { name: 'greet', description: 'Greets', signature: '<name> [--loud]' },
      { name: 'now' },
      { name: 'rm', description: 'Removes', signature: 'FILE...' },
    ]);
  });

  it('finds nothing in what is no help', () => {
    expect(parseHelp('u\bu\n\x1b[1mCommands:\x1b[0m\n  ad\bdd  Adds\n').commands).toEqual([
      { name: 'add', description: 'Adds' },
    ]);
    expect(parseHelp('')).toEqual({ parameters: [], commands: [] });
    expect(parseHelp('\0\n[[[{\nusage:\n  -\n').commands).toEqual([]);
  });
});

it('The first plugin of the guide works', async () => {
  const guide = readFileSync(join(import.meta.dirname, '../../../../../docs/guide/plugins.md'), 'utf8');
  const folder = await mkdtemp(join(tmpdir(), 'hello-'));
  await writeFile(join(folder, 'cli.sh'), /```sh\n([^`]*)```/.exec(guide)?.[1] ?? '');
  const source = new PluginSource({ folder });
  await source.start();
  const result = await source.call(source.id, { name: 'Ada' }, { signal: new AbortController().signal });
  expect(result.content).toEqual([{ type: 'text', text: 'Hello, Ada!' }]);
  await source.close();
  await rm(folder, { recursive: true });
});

/** Written by hand, with one help for all. */
const handmade = (command: string) => `
case "$1" in
  --help) printf 'Usage: tool <command>\\n\\nCommands:\\n  greet <name> [--loud]  Greets NAME\\n  wait  Waits\\n' ;;
  ${command}
  greet) shift; printf '[%s]' "$@" ;;
esac
`;

it.each([
  ['takes --help for something else', ''],
  ['does not know it', '*) [ "$2" != --help ] || { echo no >&2; exit 1; };;'],
  ['shows the whole for it', '*) if [ "$2" = --help ]; then exec sh "$0" --help; fi;;'],
])('A script whose commands have no help of their own is what its list says, where it %s', async (_what, command) => {
  const folder = await mkdtemp(join(tmpdir(), 'handmade-'));
  await writeFile(
    join(folder, 'cli.sh'),
    handmade(command).replace('*) if', 'greet|wait) if').replace('*) [', 'wait) ['),
  );
  const source = new PluginSource({ folder });
  await source.start();
  expect(source.health()).toEqual({ status: 'ready' });
  const [greet, wait, ...others] = source.list();
  expect([greet?.description, wait?.description, others]).toEqual(['Greets NAME', 'Waits', []]);
  expect(greet?.inputSchema).toMatchObject({
    properties: { name: { type: 'string' }, loud: { type: 'boolean' } },
    required: ['name'],
  });
  await source.close();
  await rm(folder, { recursive: true });
});
