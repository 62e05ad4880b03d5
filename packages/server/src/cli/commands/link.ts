import { Command } from 'commander';
import { z } from 'zod';
import { print, run } from '../output.ts';
import { ask, findRunning } from '../running-luna.ts';

export function linkCommand(): Command {
  return new Command('link')
    .description('Make a link that signs you in to the UI once.')
    .option('--home <dir>', 'the home (default: LUNA_HOME, or the folder here)')
    .option('--json', 'print JSON')
    .action((options: { home?: string; json?: boolean }) =>
      run(options.json, async () => {
        const luna = await findRunning(options.home);
        const link = await ask(luna, 'POST', '/sign-in-links', z.object({ url: z.string() }));
        print(link, options.json, ({ url }) => url);
      }),
    );
}
