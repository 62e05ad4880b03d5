import { realpathSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { homedir, userInfo } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeFileDurably } from '@luna/core/config';
import { LunaError, messageOf, systemCodeOf } from '@luna/core/errors';
import { Command } from 'commander';
import { composeFile, dockerfile, dockerIgnore } from '../../deployment/container-files.ts';
import { systemdUnit } from '../../deployment/systemd-unit.ts';
import { findHome } from '../../settings.ts';
import { version } from '../../version.ts';
import { print, run } from '../output.ts';

interface Options {
  readonly home?: string;
  readonly systemd?: boolean;
  readonly docker?: boolean;
  readonly user?: boolean;
  readonly name: string;
  readonly write?: boolean;
  readonly output?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** A file as it would be written. */
interface MadeFile {
  readonly file: string;
  readonly text: string;
}

export function installCommand(): Command {
  return new Command('install')
    .description('Print what keeps Luna running on this machine, or write it with --write.')
    .option('--systemd', 'a unit of systemd')
    .option('--docker', 'a Dockerfile and a compose.yaml')
    .option('--user', 'with --systemd: a service of yours, not of the system')
    .option('--name <name>', 'with --systemd: the name of the service', 'luna')
    .option('--home <dir>', 'the home (default: LUNA_HOME, or the folder here)')
    .option('--write', 'write the files')
    .option('--output <dir>', 'where to (default: where systemd looks; for --docker the folder here)')
    .option('--force', 'write over files that are there and differ')
    .option('--json', 'print JSON')
    .action((options: Options) => run(options.json, () => install(options)));
}

async function install(options: Options): Promise<void> {
  if (options.systemd === options.docker) throw new LunaError('invalid_input', 'Say what for: --systemd, or --docker.');
  const files = options.systemd ? unitOf(options) : containerFiles(options);
  if (!options.write) {
    return print({ files }, options.json, () =>
      files
        .map(({ file, text }) => `# ${file}\n${text}`)
        .join('\n')
        .trimEnd(),
    );
  }
  for (const { file, text } of files) await place(file, text, options.force === true);
  const next = options.systemd ? unitSteps(options) : ['docker compose up -d'];
  print({ files: files.map(({ file }) => file), next }, options.json, () =>
    [...files.map(({ file }) => `Wrote ${file}.`), '', 'Then:', ...next.map((line) => `  ${line}`)].join('\n'),
  );
}

function unitOf({ home, user, name, output }: Options): MadeFile[] {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(name))
    throw new LunaError('invalid_input', `"${name}" cannot be the name of a service.`);
  const isUser = user === true;
  const folder = output ?? (isUser ? join(homedir(), '.config', 'systemd', 'user') : '/etc/systemd/system');
  const text = systemdUnit({
    home: findHome(home, process.env),
    node: process.execPath,
    luna: lunaProgram(),
    isUser,
    // Who installs by sudo means themselves, and not root.
    user: process.env.SUDO_USER ?? userInfo().username,
  });
  return [{ file: join(resolve(folder), `${name}.service`), text }];
}

function containerFiles({ output = '.' }: Options): MadeFile[] {
  const folder = resolve(output);
  return [
    { file: join(folder, 'Dockerfile'), text: dockerfile({ version }) },
    { file: join(folder, 'compose.yaml'), text: composeFile() },
    { file: join(folder, '.dockerignore'), text: dockerIgnore },
  ];
}

function unitSteps({ user, name }: Options): string[] {
  return user
    ? [
        'systemctl --user daemon-reload',
        `systemctl --user enable --now ${name}`,
        'loginctl enable-linger      # so that it runs while you are not signed in',
      ]
    : ['systemctl daemon-reload', `systemctl enable --now ${name}`];
}

/** What a person has changed is not written over unless they say so. */
async function place(file: string, text: string, isForced: boolean): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true });
    if (isForced) return await writeFileDurably(file, text, 0o644);
    await writeFile(file, text, { flag: 'wx', mode: 0o644 });
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'EEXIST')
      throw new LunaError('conflict', `${file} is there already. Look at it, then add --force to write over it.`);
    if (systemCodeOf(thrown) === 'EACCES' || systemCodeOf(thrown) === 'EPERM')
      throw new LunaError('forbidden', `${file} cannot be written by this user. Run it with sudo, or add --user.`, {
        cause: thrown,
      });
    throw new LunaError('invalid_input', `Cannot write ${file}: ${messageOf(thrown)}`, { cause: thrown });
  }
}

function lunaProgram(): string {
  return realpathSync(fileURLToPath(import.meta.resolve('../../../bin/luna.mjs')));
}
