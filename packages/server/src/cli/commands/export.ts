import { writeFileDurably } from '@luna/core/config';
import { exportedConfigView } from '@luna/core/views';
import { Command } from 'commander';
import { run } from '../output.ts';
import { askOrOpen } from '../running-luna.ts';

export function exportCommand(): Command {
  return new Command('export')
    .description('Write the configuration of a home as one file without secrets, for review and for "luna apply".')
    .argument('[file]', 'where to (default: standard output)')
    .option('--home <dir>', 'the home (default: LUNA_HOME, or the folder here)')
    .option('--json', 'print JSON: the text, and notes')
    .addHelpText('after', '\nKeys of hubs and other secrets become references to environment keys, such as ${NAME}.')
    .action((file: string | undefined, options: { home?: string; json?: boolean }) =>
      run(options.json, async () => {
        const request = { path: '/config/export', schema: exportedConfigView };
        const exported = await askOrOpen(options.home, request, async (luna) => luna.configurationFile.export());
        if (file !== undefined) await writeFileDurably(file, exported.text);
        if (options.json) process.stdout.write(`${JSON.stringify(exported, null, 2)}\n`);
        else if (file === undefined) process.stdout.write(exported.text);
        else process.stdout.write(`Written to ${file}.\n`);
        if (!options.json) for (const note of exported.notes) process.stderr.write(`Note: ${note}\n`);
      }),
    );
}
