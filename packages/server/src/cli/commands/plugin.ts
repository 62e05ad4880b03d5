import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { EnvFile, homePaths, sourceName } from '@luna/core/config';
import { LunaError } from '@luna/core/errors';
import { Command } from 'commander';
import { findHome } from '../../settings.ts';
import { installInto } from '../install-dependencies.ts';
import { print, run, table } from '../output.ts';

interface Options {
  readonly home?: string;
  readonly json?: boolean;
}

/** A plugin as its program describes it, or what is wrong with it. */
interface PluginReport {
  readonly name: string;
  readonly status: string;
  readonly reason?: string | undefined;
  readonly tools: readonly string[];
}

export function pluginCommand(): Command {
  const command = new Command('plugin').description(
    'Look at command-line plugins and complete them. Luna need not run for it.',
  );
  for (const make of [list, test, install]) command.addCommand(make());
  return command;
}

function list(): Command {
  return withOptions(new Command('list').description('List the plugins of a home and the tools that they are.')).action(
    (options: Options) =>
      run(options.json, async () => {
        const home = findHome(options.home, process.env);
        const { foldersIn } = await import('@luna/core/sources');
        const names = await foldersIn(homePaths(home).plugins);
        const reports: PluginReport[] = [];
        for (const name of names) reports.push(await reportOf(name, home));
        print(reports, options.json, (all) =>
          all.length === 0
            ? `There is no plugin in ${homePaths(home).plugins}.`
            : table([
                ['PLUGIN', 'STATUS', 'TOOLS'],
                ...all.map((one) => [one.name, one.status, one.reason ?? one.tools.join(', ')]),
              ]),
        );
      }),
  );
}

function test(): Command {
  return withOptions(
    new Command('test')
      .description('Ask a plugin what it can do, and say what is wrong.')
      .argument('<name>', 'the plugin: the name of its folder'),
  ).action((name: string, options: Options) =>
    run(options.json, async () => {
      const home = findHome(options.home, process.env);
      await folderOf(name, home);
      const report = await reportOf(name, home);
      if (report.status !== 'ready') throw new LunaError('process_failed', report.reason ?? 'It does not load.');
      print(report, options.json, ({ tools }) => tools.join('\n'));
    }),
  );
}

function install(): Command {
  return withOptions(
    new Command('install')
      .description('Put what a plugin depends on into its own folder; scripts of packages are not run.')
      .argument('<name>', 'the plugin: the name of its folder'),
  ).action((name: string, options: Options) =>
    run(options.json, async () => {
      const folder = await folderOf(name, findHome(options.home, process.env));
      await installInto(folder, options);
    }),
  );
}

function withOptions(command: Command): Command {
  return command
    .option('--home <dir>', 'the home (default: LUNA_HOME, or the folder here)')
    .option('--json', 'print JSON');
}

async function reportOf(name: string, home: string): Promise<PluginReport> {
  const paths = homePaths(home);
  const env = new EnvFile(paths.env);
  const { PluginSource } = await import('@luna/core/sources');
  const source = new PluginSource({ folder: join(paths.plugins, name), secrets: () => env.read() });
  try {
    await source.start();
    const { status, reason } = source.health();
    return { name, status, reason, tools: source.list().map((tool) => tool.name) };
  } finally {
    await source.close();
  }
}

async function folderOf(name: string, home: string): Promise<string> {
  if (!sourceName.safeParse(name).success)
    throw new LunaError('invalid_input', `"${name}" cannot be the name of a plugin.`);
  const folder = join(homePaths(home).plugins, name);
  const isThere = await access(folder).then(
    () => true,
    () => false,
  );
  if (!isThere) throw new LunaError('not_found', `There is no plugin "${name}": ${folder} is not there.`);
  return folder;
}
