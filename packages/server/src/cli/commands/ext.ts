import { access, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { EnvFile, homePaths, sourceName } from '@luna/core/config';
import { LunaError } from '@luna/core/errors';
import type { ExtensionSource } from '@luna/core/sources';
import type { ToolArguments, ToolResult } from '@luna/core/tools';
import { Command } from 'commander';
import { findHome } from '../../settings.ts';
import { installInto } from '../install-dependencies.ts';
import { counted, print, run, table } from '../output.ts';
import { managingCommands } from './ext/manage.ts';
import { scaffold } from './ext/scaffold.ts';

interface Options {
  readonly home?: string;
  readonly json?: boolean;
  readonly python?: boolean;
}

export function extCommand(): Command {
  const command = new Command('ext').description(
    'Install, update and remove extensions of the Luna that runs; make, try and complete them, with Luna or without.',
  );
  for (const managing of managingCommands()) command.addCommand(managing);
  for (const make of [create, test, dev, install]) command.addCommand(make());
  return command;
}

function create(): Command {
  return subcommand('new', 'Make an extension with one tool, to begin with.')
    .option('--python', 'in Python instead of TypeScript')
    .action((name: string, options: Options) =>
      run(options.json, async () => {
        const folder = folderOf(name, options);
        if (await isThere(folder)) throw new LunaError('conflict', `${folder} is there already.`);
        const files = scaffold(name, options.python ? 'python' : 'typescript');
        for (const [path, text] of Object.entries(files)) {
          await mkdir(dirname(join(folder, path)), { recursive: true });
          await writeFile(join(folder, path), text);
        }
        const made = { folder, files: Object.keys(files) };
        print(made, options.json, () => `${folder} is made. Try it: luna ext test ${name}`);
      }),
    );
}

function test(): Command {
  return subcommand('test', 'Load an extension and list its tools, or call one of them.')
    .argument('[tool]', 'the tool to call')
    .argument('[arguments]', 'its arguments, as JSON', '{}')
    .action((name: string, tool: string | undefined, args: string, options: Options) =>
      run(options.json, async () => {
        await withSource(name, options, async (source) => {
          if (tool === undefined) {
            const tools = source.list().map(({ name: one, description = '' }) => ({ name: one, description }));
            print(tools, options.json, (all) =>
              table([['TOOL', 'WHAT'], ...all.map((one) => [one.name, one.description.split('\n')[0] ?? ''])]),
            );
            return;
          }
          if (!source.list().some((one) => one.name === tool)) {
            throw new LunaError('tool_not_found', `The extension "${name}" has no tool "${tool}".`);
          }
          const result = await source.call(tool, parseArguments(args), { signal: new AbortController().signal });
          print(result, options.json, textOf);
          if (result.isError === true) process.exitCode = 2;
        });
      }),
    );
}

function dev(): Command {
  return subcommand('dev', 'Load an extension anew at each change and say what is wrong, until Ctrl-C.').action(
    (name: string, options: Options) =>
      run(options.json, async () => {
        const folder = folderOf(name, options);
        await withSource(
          name,
          options,
          async (source) => {
            const tell = () => {
              const { status, reason } = source.health();
              const tools = source.list().map((tool) => tool.name);
              print({ status, reason, tools }, options.json, () =>
                reason === undefined ? `✓ ${counted(tools.length, 'tool')}: ${tools.join(', ')}` : `! ${reason}`,
              );
            };
            const changed = async (entry: string) => {
              if (entry !== name) return;
              await source.reload();
              tell();
            };
            const { watchFolders } = await import('@luna/core/sources');
            const watcher = await watchFolders(dirname(folder), (entry) => void changed(entry));
            tell();
            await new Promise<void>((settle) => process.once('SIGINT', settle).once('SIGTERM', settle));
            await watcher.close();
          },
          true,
        );
      }),
  );
}

function install(): Command {
  return subcommand(
    'install',
    'Put what an extension depends on into its own folder; scripts of packages are not run.',
  ).action((name: string, options: Options) =>
    run(options.json, async () => {
      const folder = folderOf(name, options);
      await assertThere(folder, name);
      await installInto(folder, options);
    }),
  );
}

function subcommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .argument('<name>', 'the extension: the name of its folder')
    .option('--home <dir>', 'the home (default: LUNA_HOME, or the folder here)')
    .option('--json', 'print JSON');
}

/** The extension as a running Luna would have it, with the secrets that it asks for. */
async function withSource(
  name: string,
  options: Options,
  work: (source: ExtensionSource) => Promise<void>,
  mayBeBroken = false,
): Promise<void> {
  const folder = folderOf(name, options);
  await assertThere(folder, name);
  const paths = homePaths(findHome(options.home, process.env));
  const env = new EnvFile(paths.env);
  const { ExtensionSource } = await import('@luna/core/sources');
  const source = new ExtensionSource({
    folder,
    dataDir: join(paths.extensionData, name),
    secrets: () => env.read(),
    onLog: (line) => process.stderr.write(`  ${line}\n`),
  });
  try {
    await source.start();
    const { status, reason } = source.health();
    if (status !== 'ready' && !mayBeBroken) throw new LunaError('extension_invalid', reason ?? 'It does not load.');
    await work(source);
  } finally {
    await source.close();
  }
}

function folderOf(name: string, { home }: Options): string {
  const parsed = sourceName.safeParse(name);
  if (!parsed.success) {
    throw new LunaError(
      'invalid_input',
      `"${name}" cannot be the name of an extension: ${parsed.error.issues[0]?.message}.`,
    );
  }
  return join(homePaths(findHome(home, process.env)).extensions, name);
}

async function assertThere(folder: string, name: string): Promise<void> {
  if (!(await isThere(folder)))
    throw new LunaError('not_found', `There is no extension "${name}": ${folder} is not there.`);
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function parseArguments(text: string): ToolArguments {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // Told below.
  }
  throw new LunaError('invalid_input', `The arguments must be a JSON object, such as '{"name":"Ada"}'.`);
}

function textOf({ content }: ToolResult): string {
  return content.map((block) => (typeof block.text === 'string' ? block.text : `[${block.type}]`)).join('\n');
}
