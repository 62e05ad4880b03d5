import { setTimeout as sleep } from 'node:timers/promises';
import { LunaError } from '../errors/index.ts';
import { type Child, type ChildExit, describeExit, startChild } from '../supervisor/index.ts';
import type { ServiceCommand } from './definition-shape.ts';
import { readLines } from './output-lines.ts';
import { fillIn, placeholdersOf, type Values, variableOf } from './placeholders.ts';
import { shellText } from './shell-text.ts';

export interface CommandOptions {
  /** What placeholders stand for. Commands get them as variables too. */
  readonly values: Values;
  /** Those of them that a command gets as a variable only if it names them. */
  readonly secrets: readonly string[];
  readonly cwd: string;
  /** Variables beside those, for example where a container engine listens. */
  readonly environment: Readonly<Record<string, string>>;
  /** See `ChildOptions.owner`. Left out for what is to outlive Luna. */
  readonly owner?: string;
}

export interface CommandRun extends CommandOptions {
  /** How it is called in errors: `install of redis`. */
  readonly what: string;
  readonly timeoutMs: number;
  /** Ends the command and all it has started. */
  readonly signal: AbortSignal;
  /** What it leaves behind is ended with it. Not for a command that starts something which goes on. */
  readonly endsWhole: boolean;
  readonly onLine: (line: string) => void;
  /** Told once it runs; the command is ended when this fails. */
  readonly onStarted?: (pid: number) => Promise<void>;
}

export interface CommandOutcome {
  readonly exit: ChildExit;
  /** What it printed, up to a limit. */
  readonly output: string;
}

/** What more is printed is neither kept nor logged, in characters. */
const outputLimit = 1_048_576;
/** How long a command that must end has for it, in milliseconds. */
const graceMs = 2_000;
/** How long the output may still come after the end, in milliseconds. */
const lateOutputMs = 200;

/** Starts the program of a command, in a process group of its own, with its input written. */
export async function startCommand(command: ServiceCommand, options: CommandOptions): Promise<Child> {
  const { values, cwd, environment, owner } = options;
  const [program, args] = lineOf(command.command, values);
  const child = await startChild({
    command: program,
    args,
    cwd,
    env: {
      ...environment,
      ...variablesFor(command, options),
      ...Object.fromEntries(Object.entries(command.env).map(([key, text]) => [key, fillIn(text, values)])),
    },
    ...(owner !== undefined && { owner }),
  });
  // A program that does not read its input closes it.
  child.stdin.on('error', () => undefined);
  child.stdin.end(fillIn(command.stdin ?? '', values));
  return child;
}

/**
 * Runs a command to its end. Throws `command_not_found`, `timeout`, and `cancelled` when the signal says so; how it
 * ended is for the caller to judge.
 */
export async function runCommand(command: ServiceCommand, run: CommandRun): Promise<CommandOutcome> {
  const { what, timeoutMs, signal, endsWhole } = run;
  if (signal.aborted) throw cancelled(what);
  const child = await startCommand(command, run);
  const printed = new BoundedOutput(run.onLine);
  const ended = Promise.all([child.stdout, child.stderr].map((stream) => readLines(stream, printed.take)));
  const over = new AbortController();
  try {
    const reason = await Promise.race([
      (async () => {
        await run.onStarted?.(child.pid);
        await child.exited;
        return undefined;
      })(),
      sleep(timeoutMs, 'timeout' as const, { signal: over.signal }),
      aborted(signal, over.signal),
    ]);
    if (reason !== undefined) {
      await child.stop(graceMs);
      await closed(child, ended);
      if (reason === 'aborted') throw cancelled(what);
      throw new LunaError('timeout', `The ${what} took longer than ${Math.round(timeoutMs / 100) / 10} seconds.`);
    }
    if (endsWhole) await child.stop(0);
    await (endsWhole ? closed(child, ended) : Promise.race([ended, sleep(lateOutputMs, undefined, { ref: false })]));
    return { exit: await child.exited, output: printed.text };
  } catch (thrown) {
    await child.stop(0);
    throw thrown;
  } finally {
    over.abort();
  }
}

/** Throws `process_failed`, with the last line that was printed, unless the command ended well. */
export function assertSucceeded({ exit, output }: CommandOutcome, what: string): void {
  if (exit.code === 0) return;
  const last = output.trimEnd().split('\n').at(-1) ?? '';
  throw new LunaError('process_failed', `The ${what} ${describeExit(exit)}${last === '' ? '.' : `: ${last}`}`);
}

function lineOf(command: ServiceCommand['command'], values: Values): [program: string, args: readonly string[]] {
  if (typeof command === 'string') return ['/bin/sh', ['-c', shellText(command)]];
  const [program = '', ...args] = command.map((arg) => fillIn(arg, values));
  return [program, args];
}

function variablesFor({ command, env, stdin = '' }: ServiceCommand, options: CommandOptions): Record<string, string> {
  const { values, secrets } = options;
  const texts = [...[command].flat(), ...Object.entries(env).flat(), stdin];
  const isNamed = (name: string) =>
    texts.some((text) => text.includes(variableOf(name)) || placeholdersOf(text).some(({ field }) => field === name));
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) =>
      secrets.includes(name) && !isNamed(name) ? [] : [[variableOf(name), value]],
    ),
  );
}

/** Some of the output may still be on its way; a process that has left the group may hold the streams for ever. */
async function closed(child: Child, ended: Promise<unknown>): Promise<void> {
  await Promise.race([ended, sleep(lateOutputMs)]);
  child.stdout.destroy();
  child.stderr.destroy();
}

function aborted(signal: AbortSignal, over: AbortSignal): Promise<'aborted'> {
  return new Promise((settle) => {
    signal.addEventListener('abort', () => settle('aborted'), { once: true, signal: over });
    if (signal.aborted) settle('aborted');
  });
}

function cancelled(what: string): LunaError {
  return new LunaError('cancelled', `The ${what} was ended before it was through.`);
}

/** What was printed, and no more than is good. */
class BoundedOutput {
  text = '';
  readonly #onLine: (line: string) => void;
  #isFull = false;

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  readonly take = (line: string): void => {
    if (this.#isFull) return;
    if (this.text.length + line.length > outputLimit) {
      this.#isFull = true;
      this.#onLine('… what more it prints is left out (1 MiB).');
      return;
    }
    this.text += `${line}\n`;
    this.#onLine(line);
  };
}
