import { LunaError } from '@luna/core/errors';
import { statusView, toolsBySourceView } from '@luna/core/views';
import { Command } from 'commander';
import { print, run, table } from '../output.ts';
import { ask, findRunning, type RunningLuna } from '../running-luna.ts';

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
        const all = sources.flatMap((source) => source.tools);
        if (hub !== undefined) await assertHub(luna, hub);
        const tools = all.filter((tool) => hub === undefined || tool.hubs[hub] === true);
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

/** A list that is empty because of a slip of the pen looks like a hub without tools. */
async function assertHub(luna: RunningLuna, name: string): Promise<void> {
  const { hubs } = await ask(luna, 'GET', '/status', statusView);
  if (!hubs.some((hub) => hub.name === name))
    throw new LunaError('not_found', `There is no hub "${name}". "luna hub list" lists them.`);
}
