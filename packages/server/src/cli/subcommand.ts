import { Command } from 'commander';
import type { z } from 'zod';
import { run } from './output.ts';
import { ask, findRunning, type RunningLuna } from './running-luna.ts';

/** What each command about a home takes. */
export interface HomeOptions {
  readonly home?: string;
  readonly json?: boolean;
}

/** Asks the Luna that runs, below a path of its API. Throws what it answered. */
export type Request = <Schema extends z.ZodType>(
  method: string,
  path: string,
  schema: Schema,
  body?: unknown,
) => Promise<z.infer<Schema>>;

/** A command about a home, with {@link HomeOptions}. */
export function subcommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option('--home <dir>', 'the home (default: LUNA_HOME, or the folder here)')
    .option('--json', 'print JSON');
}

/** Does a command with the Luna that runs. */
export function act(options: HomeOptions, work: (luna: RunningLuna) => Promise<void>): Promise<void> {
  return run(options.json, async () => work(await findRunning(options.home)));
}

/** Does a command by requests below `root`. */
export function actBelow(root: string, options: HomeOptions, work: (request: Request) => Promise<void>): Promise<void> {
  return act(options, (luna) => work((method, path, schema, body) => ask(luna, method, root + path, schema, body)));
}
