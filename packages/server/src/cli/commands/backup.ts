import { Command } from 'commander';
import { findHome } from '../../settings.ts';
import { version } from '../../version.ts';
import { print, run } from '../output.ts';
import { type PassphraseOptions, passphraseFrom } from '../passphrase.ts';

export function backupCommand(): Command {
  return new Command('backup')
    .description('Write a home with its database into one file. Luna may run meanwhile.')
    .argument('<file>', 'where to; a file that is there is replaced')
    .option('--passphrase-file <file>', 'a file with the passphrase for what is secret, or - for standard input')
    .option('--without-secrets', 'leave out .env, keys, tokens and the database')
    .option('--home <dir>', 'the home (default: LUNA_HOME, or the folder here)')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nIn a terminal the passphrase is asked for. Without one, secrets are left out.')
    .action((file: string, options: PassphraseOptions & { home?: string; json?: boolean }) =>
      run(options.json, async () => {
        const passphrase = await passphraseFrom(options, true);
        const home = findHome(options.home, process.env);
        const { createBackup } = await import('@luna/core/control');
        const made = await createBackup({ home, file, version, ...(passphrase !== undefined && { passphrase }) });
        print(made, options.json, ({ bytes, withSecrets, leftOut }) =>
          [
            `Written to ${made.file}, ${(bytes / 1_048_576).toFixed(1)} MiB.`,
            withSecrets
              ? 'What is secret is encrypted. Keep the passphrase: nobody can open the backup without it.'
              : 'What is secret was left out: .env, keys of hubs, tokens, and the database with people and clients.',
            ...leftOut.map(
              (path) => `Left out (a link, or the data of a service, which has a backup of its own): ${path}`,
            ),
          ].join('\n'),
        );
      }),
    );
}
