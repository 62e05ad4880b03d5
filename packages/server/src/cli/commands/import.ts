import { readFile } from 'node:fs/promises';
import { parseJsonText } from '@luna/core/config';
import { LunaError, messageOf } from '@luna/core/errors';
import { importOutcomeView } from '@luna/core/views';
import { Command } from 'commander';
import { z } from 'zod';
import { print, run } from '../output.ts';
import { askOrOpen } from '../running-luna.ts';

export function importCommand(): Command {
  return new Command('import')
    .description('Take over the MCP servers of another client\'s "mcpServers" JSON file.')
    .argument('<file>', 'the file, for example claude_desktop_config.json, .mcp.json or .vscode/mcp.json')
    .option('--home <dir>', 'the home (default: LUNA_HOME, or the folder here)')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nServers that are there already are left as they are. Works while Luna runs and while it does not.',
    )
    .action((file: string, options: { home?: string; json?: boolean }) =>
      run(options.json, async () => {
        const document = await readDocument(file);
        if (isExport(document)) {
          throw new LunaError('invalid_input', `${file} is a configuration of Luna. Run "luna apply ${file}" instead.`);
        }
        const request = { path: '/remote-mcp/import', schema: importOutcomeView, body: document };
        const result = await askOrOpen(options.home, request, (luna) => luna.admin.importServers(document));
        print(result, options.json, ({ added, skipped, missing, notes }) =>
          [
            `Added: ${added.join(', ') || 'nothing'}`,
            ...skipped.map(({ name, reason }) => `Skipped ${name}: ${reason}`),
            ...missing.map(({ key, server }) => `Set ${key} in the .env file of the home: ${server} needs it`),
            ...notes,
          ].join('\n'),
        );
      }),
    );
}

/** What "luna export" writes is a whole configuration, which is not added to one but takes its place. */
function isExport(document: unknown): boolean {
  const keys = typeof document === 'object' && document !== null ? Object.keys(document) : [];
  return keys.includes('remote_mcp_servers') || (keys.includes('mcp_servers') && !keys.includes('mcpServers'));
}

async function readDocument(file: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (thrown) {
    throw new LunaError('invalid_input', `Cannot read ${file}: ${messageOf(thrown)}`, { cause: thrown });
  }
  return parseJsonText(text, z.unknown(), file);
}
