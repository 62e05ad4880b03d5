import { PassThrough, pipeline, type Readable } from 'node:stream';
import { LunaError } from '../errors/index.ts';
import { describeExit, startChild } from '../supervisor/index.ts';

export interface CommandOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly owner?: string | undefined;
  /** Milliseconds. */
  readonly limitMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly onLine?: (line: string) => void;
  /** Takes the standard output as it comes. Left out: its lines are told like those of the standard error. */
  readonly onOutput?: (output: Readable) => Promise<void>;
}

const keptLines = 10;
const maxLineLength = 2_000;

/**
 * Runs a program to its end, in a process group of its own that ends with it. Throws `command_not_found`,
 * `process_failed` with its last words, `timeout`, `cancelled`, and what `onOutput` throws.
 */
export async function runCommand(options: CommandOptions): Promise<void> {
  const { command, args, cwd, env, owner, limitMs, signal, onLine, onOutput } = options;
  const limit = AbortSignal.timeout(limitMs);
  const either = signal ? AbortSignal.any([signal, limit]) : limit;
  const child = await startChild({ command, args, cwd, ...(env && { env }), ...(owner !== undefined && { owner }) });
  const end = () => void child.stop(1_000);
  either.addEventListener('abort', end, { once: true });
  if (either.aborted) end();
  const last: string[] = [];
  const take = (line: string) => {
    onLine?.(line);
    last.push(line);
    if (last.length > keptLines) last.shift();
  };
  child.stdin.on('error', () => undefined).end();
  try {
    const output = onOutput ? onOutput(held(child.stdout)) : readLines(child.stdout, take);
    // Whoever cannot use the output need not wait for the rest of it.
    output.catch(end);
    const [exit] = await Promise.all([child.exited, output, readLines(child.stderr, take)]);
    if (signal?.aborted) throw new LunaError('cancelled', `${command} was broken off.`);
    if (limit.aborted)
      throw new LunaError(
        'timeout',
        `${command} was ended: it took longer than ${Math.round(limitMs / 1000)} seconds.`,
      );
    if (exit.code !== 0)
      throw new LunaError(
        'process_failed',
        `${command} ${describeExit(exit)}: ${last.join(' | ') || 'it said nothing'}`,
      );
  } finally {
    either.removeEventListener('abort', end);
    // What it left behind in its group ends with it.
    await child.stop(1_000);
  }
}

/** Node lets go of what a program has written and nobody reads yet, once the program has ended. */
function held(output: Readable): Readable {
  return pipeline(output, new PassThrough(), () => undefined);
}

async function readLines(stream: Readable, onLine: (line: string) => void): Promise<void> {
  let rest = '';
  stream.setEncoding('utf8');
  for await (const chunk of stream as AsyncIterable<string>) {
    // Programs that show progress write over their line again and again.
    const lines = (rest + chunk).split(/[\r\n]+/);
    rest = (lines.pop() ?? '').slice(0, maxLineLength);
    for (const line of lines) if (line.trim() !== '') onLine(line.slice(0, maxLineLength));
  }
  if (rest.trim() !== '') onLine(rest);
}
