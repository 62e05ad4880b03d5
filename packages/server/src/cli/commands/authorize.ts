import { spawn } from 'node:child_process';
import { Command } from 'commander';
import { z } from 'zod';
import { print, run } from '../output.ts';
import { ask, findRunning } from '../running-luna.ts';

export function authorizeCommand(): Command {
  return new Command('authorize')
    .description('Authorize Luna at an MCP server that wants you to sign in there.')
    .argument('<server>', 'the id of the server')
    .option('--home <dir>', 'the home (default: LUNA_HOME, or the folder here)')
    .option('--open', 'open the page in your browser')
    .option('--disconnect', 'give the tokens back and forget them')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nPrints the page at which you allow it. The browser must run on this machine, since it comes back to Luna.',
    )
    .action((server: string, options: { home?: string; open?: boolean; disconnect?: boolean; json?: boolean }) =>
      run(options.json, async () => {
        const luna = await findRunning(options.home);
        const path = `/remote-mcp/${encodeURIComponent(server)}/authorize`;
        if (options.disconnect) {
          await ask(luna, 'DELETE', path, z.undefined());
          return print(
            { disconnected: server },
            options.json,
            () => `Luna has no authorization at ${server} any more.`,
          );
        }
        const begun = await ask(luna, 'POST', path, z.object({ url: z.url({ protocol: /^https?$/ }) }));
        if (options.open) openInBrowser(begun.url);
        print(
          begun,
          options.json,
          ({ url }) => `Open this page and allow Luna; it works once, within 15 minutes:\n${url}`,
        );
      }),
    );
}

/** The page is printed in any case: a machine without a browser is no error. */
function openInBrowser(url: string): void {
  const [program, ...args] =
    process.platform === 'darwin'
      ? ['open', url]
      : process.platform === 'win32'
        ? ['rundll32', 'url.dll,FileProtocolHandler', url]
        : ['xdg-open', url];
  if (program === undefined) return;
  const child = spawn(program, args, { stdio: 'ignore', detached: true });
  child.once('error', () => undefined);
  child.unref();
}
