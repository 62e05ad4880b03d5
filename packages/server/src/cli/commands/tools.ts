import { toolsBySourceView } from '@luna/core/control';
import { Command } from 'commander';
import { print, run, table } from '../output.ts';
import { ask, findRunning } from '../running-luna.ts';

export function toolsCommand(): Command {
  return new Command('tools')
    .description('List the tools of the Luna that runs on a home.')
    .option('--home <dir>', 'the home (default: LUNA_HOME, or the folder here)')
    .option('--hub <name>', 'only the tools that this hub serves')
    .option('--json', 'print JSON')
    .action((options: { home?: string; hub?: string; json?: boolean }) =>
      run(options.json, async () => {
        const luna = await findRunning(options.home);
        const { sources } = await ask(luna, 'GET', '/tools/all', toolsBySourceView);
        const { hub } = options;
        const tools = sources
          .flatMap((source) => source.tools)
          .filter((tool) => hub === undefined || tool.hubs[hub] === true);
        print(tools, options.json, (views) =>
          views.length === 0
            ? 'There are no tools. "luna status" shows the sources.'
            : table(
                views.map((tool) => [
                  tool.name,
                  tool.source,
                  (tool.description ?? '').split('\n')[0]?.slice(0, 100) ?? '',
                ]),
              ),
        );
      }),
    );
}
