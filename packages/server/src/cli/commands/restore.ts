import { resolve } from 'node:path';
import { LunaError } from '@luna/core/errors';
import { Command } from 'commander';
import { findHome } from '../../settings.ts';
import { print, run } from '../output.ts';
import { type PassphraseOptions, passphraseFrom } from '../passphrase.ts';

export function restoreCommand(): Command {
  return new Command('restore')
    .description('Put a backup in the place of a home. What was there is moved aside. Luna must not run.')
    .argument('<file>', 'a file of "luna backup"')
    .option('--passphrase-file <file>', 'a file with the passphrase of the backup, or - for standard input')
    .option('--without-secrets', 'leave the secrets of the backup alone; those of the home stay')
    .option('--home <dir>', 'the home, which need not be there yet (default: LUNA_HOME, or the folder here)')
    .option('--json', 'print JSON')
    .action((file: string, options: PassphraseOptions & { home?: string; json?: boolean }) =>
      run(options.json, async () => {
        const home = options.home === undefined ? findHome(undefined, process.env) : resolve(options.home);
        const passphrase = await passphraseOf(file, options);
        const { restoreBackup } = await import('@luna/core/control');
        const restored = await restoreBackup({ home, file, ...(passphrase !== undefined && { passphrase }) });
        print(restored, options.json, ({ createdAt, version, withSecrets, formerHome }) =>
          [
            `${home} is as it was at ${createdAt}, by Luna ${version}.`,
            ...(withSecrets
              ? []
              : ['Secrets were not restored. "luna keys required" lists the keys that are missing.']),
            ...(formerHome === undefined
              ? []
              : [`What was there before is in ${formerHome}; delete it when all is well.`]),
            'Packages are not in a backup: run "npm install" where there is a package.json, and "luna ext install NAME".',
          ].join('\n'),
        );
      }),
    );
}

async function passphraseOf(file: string, options: PassphraseOptions): Promise<string | undefined> {
  const { inspectBackup } = await import('@luna/core/control');
  const { secrets } = await inspectBackup(file);
  if (!secrets || options.withoutSecrets) return undefined;
  const passphrase = await passphraseFrom(options, false);
  if (passphrase !== undefined) return passphrase;
  throw new LunaError('invalid_input', 'The backup has secrets: give --passphrase-file FILE, or --without-secrets.');
}
