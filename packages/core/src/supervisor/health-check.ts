import { request } from 'node:http';
import { connect } from 'node:net';
import { LunaError, messageOf } from '../errors/index.ts';
import { describeExit, startChild } from './child.ts';
import { LineTail } from './line-tail.ts';

/** A question to a program whether it is well. */
export type HealthCheck =
  /** Any answer below 400 is a good one. */
  | { readonly kind: 'http'; readonly url: string }
  /** A connection that opens is a good answer. */
  | { readonly kind: 'tcp'; readonly port: number; readonly host?: string }
  /** Exit code 0 is a good answer. */
  | { readonly kind: 'command'; readonly command: string; readonly args?: readonly string[] };

/** Where a command of a check runs. */
export interface CheckPlace {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly owner?: string;
}

/**
 * Asks once. Returns what is wrong in words, or undefined when nothing is. Never takes longer than the limit in
 * milliseconds, and never throws.
 */
export async function checkHealth(
  check: HealthCheck,
  place: CheckPlace,
  timeoutMs: number,
): Promise<string | undefined> {
  const limit = AbortSignal.timeout(timeoutMs);
  try {
    if (check.kind === 'http') await askHttp(check.url, limit);
    else if (check.kind === 'tcp') await askTcp(check.port, check.host ?? '127.0.0.1', limit);
    else await askCommand(check, place, limit);
    return undefined;
  } catch (thrown) {
    return limit.aborted ? `${nameOf(check)} did not answer within ${timeoutMs / 1000} s` : messageOf(thrown);
  }
}

function nameOf(check: HealthCheck): string {
  if (check.kind === 'http') return check.url;
  return check.kind === 'tcp' ? `port ${check.port}` : `"${check.command}"`;
}

function askHttp(url: string, signal: AbortSignal): Promise<void> {
  return new Promise((settle, reject) => {
    const asked = request(url, { signal, agent: false }, (response) => {
      const { statusCode = 0 } = response;
      // Only the status is of interest; a body without end is not waited for.
      response.destroy();
      if (statusCode < 400) settle();
      else reject(new LunaError('upstream_error', `${url} answered with ${statusCode}`));
    });
    asked.once('error', (error) => reject(new LunaError('upstream_error', `${url}: ${messageOf(error)}`)));
    asked.end();
  });
}

function askTcp(port: number, host: string, signal: AbortSignal): Promise<void> {
  return new Promise((settle, reject) => {
    const socket = connect({ port, host });
    const abort = () => socket.destroy(new Error('aborted'));
    signal.addEventListener('abort', abort, { once: true });
    socket.once('connect', () => {
      socket.destroy();
      settle();
    });
    socket.once('error', (error) => reject(new LunaError('upstream_error', `port ${port}: ${messageOf(error)}`)));
    socket.once('close', () => {
      signal.removeEventListener('abort', abort);
      reject(new LunaError('upstream_error', `port ${port} closed the connection`));
    });
  });
}

async function askCommand(
  { command, args }: Extract<HealthCheck, { kind: 'command' }>,
  place: CheckPlace,
  signal: AbortSignal,
): Promise<void> {
  const child = await startChild({ command, ...place, ...(args && { args }) });
  const output = new LineTail(child.stderr, { maxLines: 3 });
  child.stdout.resume();
  child.stdin.end();
  const abort = () => void child.stop(0);
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  try {
    const exit = await child.exited;
    if (exit.code !== 0) {
      throw new LunaError('process_failed', [`"${command}" ${describeExit(exit)}`, ...output.lines()].join('; '));
    }
  } finally {
    signal.removeEventListener('abort', abort);
    // What it has left behind in its group ends with it.
    await child.stop(0);
  }
}
