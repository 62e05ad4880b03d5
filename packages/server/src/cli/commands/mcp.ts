import { EnvFile, homePaths, hubKeyName, mainHubName } from '@luna/core/config';
import { LunaError } from '@luna/core/errors';
import { Command } from 'commander';
import { clientSnippet } from '../../client-setups.ts';
import { print, run } from '../output.ts';
import { findRunning } from '../running-luna.ts';

export function mcpCommand(): Command {
  return new Command('mcp')
    .description('Let a client that only speaks stdio use a hub: MCP on standard input and output.')
    .argument('[hub]', 'the name of the hub', 'default')
    .option('--home <dir>', 'the home (default: LUNA_HOME, or the folder here)')
    .option('--json', 'print where the hub is and how to connect, instead of bridging')
    .addHelpText(
      'after',
      '\nIn the configuration of a client:\n  { "mcpServers": { "luna": { "command": "luna", "args": ["mcp", "--home", "/path/to/home"] } } }',
    )
    .action((hub: string, options: { home?: string; json?: boolean }) =>
      run(options.json, async () => {
        const luna = await findRunning(options.home);
        if (hub === mainHubName) {
          throw new LunaError(
            'invalid_input',
            `No key opens the hub "main": people let clients in. Connect to ${luna.url}/api/mcp, with "npx mcp-remote" if your client only speaks stdio.`,
          );
        }
        const apiKey =
          process.env.LUNA_HUB_KEY || (await new EnvFile(homePaths(luna.home).env).read())[hubKeyName(hub)];
        if (!apiKey)
          throw new LunaError(
            'not_found',
            `There is no hub "${hub}" in ${luna.home} whose key is in its .env. "luna hub list" lists the hubs. A key of which only a hash is kept goes into LUNA_HUB_KEY.`,
          );
        const url = `${luna.url}/api/mcp-${hub}`;
        if (options.json) return print(JSON.parse(clientSnippet({ name: hub, url, apiKey })), true, String);
        const { bridgeStdio } = await import('../stdio-bridge.ts');
        await bridgeStdio({ url: new URL(url), apiKey });
      }),
    );
}
