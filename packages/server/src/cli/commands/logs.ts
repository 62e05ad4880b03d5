import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { homePaths } from '@luna/core/config';
import { LunaError } from '@luna/core/errors';
import { Command } from 'commander';
import { logName } from '../../log/levels.ts';
import { linesFrom, readLog } from '../../log/read-log.ts';
import { findHome } from '../../settings.ts';
import { run } from '../output.ts';
import { readableLine } from './logs/readable-line.ts';

interface Options {
  readonly home?: string;
  readonly json?: boolean;
  readonly lines: string;
  readonly follow?: boolean;
}

/** More lines than this are for an editor. */
const maxLines = 100_000;

export function logsCommand(): Command {
  return new Command('logs')
    .description('Show the log of a home. Luna need not run for it.')
    .argument('[name]', 'only what comes from here: a source, "hub", "calls", "http", "luna", or a file of logs/')
    .option('--home <dir>', 'the home (default: LUNA_HOME, or the folder here)')
    .option('-f, --follow', 'go on with what is still to come, until Ctrl-C')
    .option('--lines <number>', 'how many of the last lines', '100')
    .option('--json', 'print the lines as they are: JSON, one entry each')
    .action((name: string | undefined, options: Options) => run(options.json, () => show(name, options)));
}

async function show(name: string | undefined, { home: flag, json, lines: text, follow }: Options): Promise<void> {
  const lines = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (!(lines <= maxLines))
    throw new LunaError('invalid_input', `--lines must be a whole number from 0 to ${maxLines}, not "${text}".`);
  if (name !== undefined && !/^[A-Za-z0-9][\w.:-]{0,99}$/.test(name))
    throw new LunaError('invalid_input', `"${name}" cannot be the name of a source or of a log.`);
  const folder = homePaths(findHome(flag, process.env)).logs;
  const { file, wants } = await logOf(folder, name);
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  process.once('SIGTERM', () => stop.abort());
  // Whoever only wanted the first lines, such as `head`, has closed the pipe.
  process.stdout.on('error', () => stop.abort());
  let isEmpty = true;
  for await (const piece of readLog({ file, lines, wants, follow: follow ?? false, signal: stop.signal })) {
    isEmpty = false;
    if (stop.signal.aborted) break;
    process.stdout.write(json ? piece : piece.replaceAll(/[^\n]+/g, readableLine));
  }
  if (isEmpty && lines > 0 && !follow)
    process.stderr.write(
      name === undefined ? `There is nothing in ${file} yet.\n` : `Nothing in ${file} is from "${name}".\n`,
    );
}

/** A file of that name, or the lines of that source in Luna's own log. */
async function logOf(
  folder: string,
  name: string | undefined,
): Promise<{ file: string; wants: (line: string) => boolean }> {
  const whole = () => true;
  if (name === undefined) return { file: join(folder, logName), wants: whole };
  const own = join(folder, `${name.replace(/\.log$/, '')}.log`);
  const isFile =
    name !== 'luna' &&
    (await access(own)
      .then(() => true)
      .catch(() => false));
  return isFile ? { file: own, wants: whole } : { file: join(folder, logName), wants: linesFrom(name) };
}
