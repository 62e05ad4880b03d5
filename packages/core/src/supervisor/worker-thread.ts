import { Worker } from 'node:worker_threads';
import { LunaError, messageOf } from '../errors/index.ts';
import { LineTail } from './line-tail.ts';

export interface WorkerOptions {
  /** What the worker reads as its `workerData`. */
  readonly data: unknown;
  /** The whole environment of the worker. */
  readonly env: NodeJS.ProcessEnv;
  readonly name: string;
  /** Memory limit of the worker's heap, in MiB. */
  readonly memoryLimitMb: number;
  readonly onLog?: ((line: string) => void) | undefined;
}

/** How long a worker may take to load its files, in milliseconds. */
const loadLimitMs = 30_000;

/** The file `worker` beside a module: its source when the source runs, its build when the build does. */
export function workerBeside(moduleUrl: string): URL {
  return new URL(moduleUrl.endsWith('.ts') ? './worker.ts' : './worker.js', moduleUrl);
}

/** Starts a worker for code of somebody else's, with the last lines of its standard error. */
export function startWorker(file: URL, options: WorkerOptions): { readonly worker: Worker; readonly tail: LineTail } {
  const { data, env, name, memoryLimitMb, onLog } = options;
  const worker = new Worker(file, {
    workerData: data,
    env: { ...env },
    name,
    stdout: true,
    stderr: true,
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: memoryLimitMb },
  });
  // A worker can fail once more while it is being ended; without a listener that would be a failure of this process.
  worker.on('error', () => undefined);
  const tail = new LineTail(worker.stderr, { onLine: onLog });
  new LineTail(worker.stdout, { maxLines: 1, onLine: onLog });
  return { worker, tail };
}

/**
 * What a worker says first, once it has loaded. Throws `extension_invalid`, beginning with `what`, when it ends before,
 * takes longer than 30 seconds, or the signal is aborted.
 */
export function firstMessage<Message>(worker: Worker, what: string, signal?: AbortSignal): Promise<Message> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) => {
      done();
      reject(new LunaError('extension_invalid', `${what} did not load: ${why}`));
    };
    const timer = setTimeout(() => fail(`it took longer than ${loadLimitMs} ms`), loadLimitMs);
    const onMessage = (message: Message) => {
      done();
      resolve(message);
    };
    const onError = (error: unknown) => fail(messageOf(error));
    const onExit = () => fail('its worker ended while loading');
    const onAbort = () => fail('it was broken off');
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
    };
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    if (signal?.aborted) onAbort();
    else signal?.addEventListener('abort', onAbort);
  });
}
