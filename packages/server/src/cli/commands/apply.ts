import { readFile } from 'node:fs/promises';
import { LunaError, messageOf } from '@luna/core/errors';
import { type AppliedConfigView, appliedConfigView } from '@luna/core/views';
import { Command } from 'commander';
import { print, run } from '../output.ts';
import { askOrOpen } from '../running-luna.ts';

export function applyCommand(): Command {
  return new Command('apply')
    .description('Make the configuration of a home be what a file of "luna export" says, and show what differs.')
    .argument('<file>', 'the file')
    .option('--dry-run', 'only show what would differ')
    .option('--home <dir>', 'the home (default: LUNA_HOME, or the folder here)')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nWorks while Luna runs and while it does not. A hub whose key is not in .env gets a new one.',
    )
    .action((file: string, options: { dryRun?: boolean; home?: string; json?: boolean }) =>
      run(options.json, async () => {
        const text = await readFile(file, 'utf8').catch((thrown: unknown) => {
          throw new LunaError('invalid_input', `Cannot read ${file}: ${messageOf(thrown)}`, { cause: thrown });
        });
        const dryRun = options.dryRun === true;
        const body = { text, dry_run: dryRun };
        const request = { path: '/config/apply', schema: appliedConfigView, body };
        const outcome = await askOrOpen(options.home, request, (luna) =>
          luna.configurationFile.apply(text, { dryRun, from: file }),
        );
        print(outcome, options.json, textOf);
      }),
    );
}

function textOf({ applied, differences, textDiffers, missing }: AppliedConfigView): string {
  const lines = differences.map(({ path, before, after }) => {
    if (before === undefined) return `+ ${path}: ${after}`;
    return after === undefined ? `- ${path}: ${before}` : `~ ${path}: ${before} → ${after}`;
  });
  if (lines.length === 0) lines.push(textDiffers ? 'Only comments or order differ.' : 'Nothing differs.');
  lines.push(...missing.map((name) => `Not in .env: ${name}. Set it with "luna keys set ${name}".`));
  if (textDiffers) lines.push(applied ? 'Applied.' : 'Nothing was changed (--dry-run).');
  return lines.join('\n');
}
