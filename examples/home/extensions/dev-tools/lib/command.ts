import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { basename } from 'node:path';

export interface CommandOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  readonly maxOutputBytes?: number;
  readonly signal?: AbortSignal;
}

export interface CommandOutcome {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
  /** Why it was ended, if it was. */
  readonly endedBy?: string;
}

/** Runs a program without a shell, in a process group of its own that ends with it, within limits. */
export function runCommand(command: string, args: readonly string[], options: CommandOptions): Promise<CommandOutcome> {
  const { cwd, env = {}, timeoutMs = 60_000, maxOutputBytes = 1_000_000, signal } = options;
  return new Promise((settle, reject) => {
    const child = spawn(command, args, {
      cwd,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', LANG: 'C.UTF-8', ...env },
    });
    const texts = { output: '', errors: '' };
    let endedBy: string | undefined;
    const end = (why: string) => {
      endedBy ??= why;
      if (child.pid !== undefined) killGroup(child.pid);
      // Something outside of the group may hold the output open for as long as it likes.
      child.stdout.destroy();
      child.stderr.destroy();
    };
    const timer = setTimeout(() => end(`it took longer than ${timeoutMs / 1000} seconds`), timeoutMs);
    const abort = () => end('the call was cancelled');
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort, { once: true });
    for (const [stream, key] of [
      [child.stdout, 'output'],
      [child.stderr, 'errors'],
    ] as const) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        texts[key] += chunk;
        if (texts[key].length > maxOutputBytes) end(`it wrote more than ${maxOutputBytes} bytes`);
      });
    }
    child.once('error', (error) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      // Node says the same of a program and of a folder that are not there.
      const why = existsSync(cwd)
        ? `${command} cannot be started: ${error.message}`
        : `There is no folder ${basename(cwd)}.`;
      reject(new Error(why));
    });
    child.once('close', (code) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      settle({ code, ...texts, ...(endedBy !== undefined && { endedBy }) });
    });
  });
}

/** Ends a process with whatever was started in its group. */
function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has gone by itself.
  }
}
