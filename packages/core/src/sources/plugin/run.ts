import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { LunaError } from '../../errors/index.ts';
import {
  type Child,
  type ChildExit,
  LineTail,
  processesMarked,
  startChild,
  stopProcesses,
} from '../../supervisor/index.ts';
import type { PluginProgram } from './program.ts';

/** The variable by which processes that left the group of their call are found. */
const callMark = 'LUNA_PLUGIN_CALL';
/** How long a program that is ended may take to end by itself, in milliseconds. */
const graceMs = 1_000;
/** How long output may still come after the program itself has ended, in milliseconds. */
const outputGraceMs = 500;

export interface RunOptions {
  readonly program: PluginProgram;
  readonly args: readonly string[];
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  readonly owner?: string | undefined;
  readonly timeoutMs: number;
  readonly maxOutputBytes: number;
  readonly signal?: AbortSignal | undefined;
  readonly onErrorLine?: ((line: string) => void) | undefined;
}

export interface RunOutcome {
  readonly exit: ChildExit;
  readonly output: Buffer;
  /** The last lines on standard error. */
  readonly errors: readonly string[];
}

/**
 * Runs a plugin's program to its end, without a shell. Throws `timeout`, `cancelled` or `too_large`, after everything
 * that the program started has been ended.
 */
export async function runProgram(options: RunOptions): Promise<RunOutcome> {
  if (options.signal?.aborted) throw cancelled();
  const mark = randomUUID();
  const child = await startChild({
    command: options.program.command,
    args: [...options.program.args, ...options.args],
    cwd: options.folder,
    env: { ...options.env, [callMark]: mark },
    ...(options.owner !== undefined && { owner: options.owner }),
  });
  const stopped = Promise.withResolvers<never>();
  // Whoever loses the race below is not listened to any more.
  stopped.promise.catch(() => undefined);
  const abort = () => stopped.reject(cancelled());
  const timer = setTimeout(() => stopped.reject(tookTooLong(options.timeoutMs)), options.timeoutMs);
  options.signal?.addEventListener('abort', abort, { once: true });
  if (options.signal?.aborted) abort();
  child.stdin.on('error', () => undefined);
  child.stdin.end();
  const chunks = collect(child, options.maxOutputBytes, stopped.reject);
  const tail = new LineTail(child.stderr, { ...(options.onErrorLine && { onLine: options.onErrorLine }) });
  const ended = Promise.all([endOf(child.stdout), endOf(child.stderr)]);
  try {
    const exit = await Promise.race([child.exited, stopped.promise]);
    await Promise.race([ended, pause(outputGraceMs), stopped.promise]);
    return { exit, output: Buffer.concat(chunks), errors: tail.lines() };
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', abort);
    await child.stop(graceMs);
    await stopProcesses(await processesMarked(callMark, mark), graceMs);
    child.stdout.destroy();
    child.stderr.destroy();
  }
}

function collect(child: Child, limit: number, reject: (error: LunaError) => void): Buffer[] {
  const chunks: Buffer[] = [];
  for (const [stream, keep] of [
    [child.stdout, true],
    [child.stderr, false],
  ] as const) {
    let size = 0;
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > limit) reject(tooMuch(limit));
      else if (keep) chunks.push(chunk);
    });
  }
  return chunks;
}

function endOf(stream: Readable): Promise<void> {
  return new Promise((settle) => stream.once('close', () => settle()));
}

function pause(ms: number): Promise<void> {
  return new Promise((settle) => setTimeout(settle, ms).unref());
}

function cancelled(): LunaError {
  return new LunaError('cancelled', 'The call was withdrawn, and the program ended.');
}

function tookTooLong(ms: number): LunaError {
  return new LunaError(
    'timeout',
    `The program took longer than ${ms / 1000} s and was ended. "timeout_seconds" in plugin.json sets the limit.`,
  );
}

function tooMuch(limit: number): LunaError {
  return new LunaError(
    'too_large',
    `The program wrote more than ${limit} bytes and was ended. "max_output_bytes" in plugin.json sets the limit.`,
  );
}
