import { Worker } from 'node:worker_threads';
import { redactorOf, secretsIn } from '../../config/index.ts';
import { LunaError, messageOf } from '../../errors/index.ts';
import { LineTail } from '../../supervisor/index.ts';
import { Cancellation, type SourceCall, type Tool, type ToolArguments, type ToolResult } from '../../tools/index.ts';
import type { FromWorker, ToWorker, WorkerTask } from './messages.ts';
import type { HostEvents, ToolExamples, ToolHost } from './tool-host.ts';

export interface HostOptions extends WorkerTask, Omit<HostEvents, 'onStuck'> {
  /** For messages. */
  readonly name: string;
  /** The whole environment of the worker. */
  readonly env: Readonly<Record<string, string>>;
  /** See `ToolContext.services`. */
  readonly services?: (() => Readonly<Record<string, string>>) | undefined;
  /** Memory limit of the worker's heap, in MiB. */
  readonly memoryLimitMb: number;
  readonly onLog?: ((line: string) => void) | undefined;
}

/** How long a worker may take to load its files, and to answer that it is there, in milliseconds. */
const loadLimitMs = 30_000;
const pongLimitMs = 1_000;

interface PendingCall {
  readonly args: ToolArguments;
  readonly resolve: (result: ToolResult) => void;
  readonly reject: (error: LunaError) => void;
  readonly onProgress: SourceCall['onProgress'];
}

/** One worker of an extension, from its start to its end. Another version of the files gets another host. */
export class ExtensionHost implements ToolHost {
  readonly tools: readonly Tool[];
  readonly systemPrompt: string | undefined;
  readonly examples: ToolExamples;
  readonly #worker: Worker;
  readonly #options: HostOptions;
  readonly #tail: LineTail;
  readonly #pending = new Map<number, PendingCall>();
  #lastId = 0;
  #ended = false;
  #cause = 'it ended by itself';
  #onIdle: (() => void) | undefined;
  #onPong: (() => void) | undefined;

  /** Starts a worker and loads the files. Throws `extension_invalid`, naming file and line, when they do not load. */
  static async start(options: HostOptions): Promise<ExtensionHost> {
    const worker = new Worker(workerFile(), {
      workerData: { files: options.files, folder: options.folder, dataDir: options.dataDir } satisfies WorkerTask,
      env: { ...options.env },
      name: options.name,
      stdout: true,
      stderr: true,
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: options.memoryLimitMb },
    });
    // A worker can fail once more while it is being ended; without a listener that would be a failure of this process.
    worker.on('error', () => undefined);
    const tail = new LineTail(worker.stderr, { onLine: options.onLog });
    new LineTail(worker.stdout, { maxLines: 1, onLine: options.onLog });
    try {
      const loaded = await firstMessage(worker, options);
      if (loaded.type === 'loaded') return new ExtensionHost(worker, options, tail, loaded);
      throw new LunaError('extension_invalid', loaded.type === 'load-failed' ? loaded.message : 'did not load');
    } catch (thrown) {
      await worker.terminate();
      throw thrown;
    }
  }

  private constructor(worker: Worker, options: HostOptions, tail: LineTail, loaded: FromWorker & { type: 'loaded' }) {
    this.#worker = worker;
    this.#options = options;
    this.#tail = tail;
    this.tools = loaded.tools;
    this.systemPrompt = loaded.systemPrompt;
    this.examples = loaded.examples;
    worker.on('message', (message: FromWorker) => this.#receive(message));
    worker.on('error', (error) => {
      this.#cause = messageOf(error);
    });
    worker.on('exit', () => this.#exited());
  }

  /** The last lines of the worker's standard error, oldest first. */
  log(): string[] {
    return this.#tail.lines();
  }

  /** Runs a tool. Throws `cancelled` when the signal is aborted and `source_unavailable` when the worker ends. */
  call(name: string, args: ToolArguments, call: SourceCall): Promise<ToolResult> {
    if (this.#ended) return Promise.reject(this.#unavailable('has ended'));
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId;
      const cancellation = call.cancellation ?? Cancellation.of(call.signal);
      const cancel = () => {
        this.#send({ type: 'cancel', id });
        settle(() =>
          reject(new LunaError('cancelled', `The call of "${name}" was cancelled.`, { cause: cancellation.reason })),
        );
        void this.#endIfStuck(name);
      };
      const settle = (finish: () => void) => {
        cancellation.offCancel(cancel);
        this.#pending.delete(id);
        finish();
        if (this.#pending.size === 0) this.#onIdle?.();
      };
      this.#pending.set(id, {
        args,
        resolve: (result) => settle(() => resolve(result)),
        reject: (error) => settle(() => reject(error)),
        onProgress: call.onProgress,
      });
      if (cancellation.cancelled) return cancel();
      cancellation.onCancel(cancel);
      this.#send({ type: 'call', id, name, args, services: this.#options.services?.() ?? {} });
    });
  }

  /** Ends the worker once the calls under way have ended, or at the limit in milliseconds. */
  async drain(limitMs: number): Promise<void> {
    if (this.#pending.size > 0) {
      await new Promise<void>((settle) => {
        const timer = setTimeout(settle, limitMs);
        this.#onIdle = () => {
          clearTimeout(timer);
          settle();
        };
      });
    }
    await this.stop();
  }

  async stop(): Promise<void> {
    this.#ended = true;
    await this.#worker.terminate();
  }

  /** A handler that never yields cannot be cancelled: a worker that does not answer is ended. */
  async #endIfStuck(tool: string): Promise<void> {
    if (this.#onPong) return;
    const answered = await new Promise<boolean>((settle) => {
      const timer = setTimeout(() => settle(false), pongLimitMs);
      this.#onPong = () => {
        clearTimeout(timer);
        settle(true);
      };
      this.#send({ type: 'ping' });
    });
    this.#onPong = undefined;
    if (answered || this.#ended) return;
    this.#cause = `its tool "${tool}" kept the worker busy and could not be cancelled`;
    await this.#worker.terminate();
  }

  #receive(message: FromWorker): void {
    if (message.type === 'result') this.#pending.get(message.id)?.resolve(message.result);
    else if (message.type === 'progress') this.#pending.get(message.id)?.onProgress?.(message.progress);
    else if (message.type === 'failed') this.#logFailure(message.id, message.thrown);
    else if (message.type === 'pong') this.#onPong?.();
  }

  /** Errors quote arguments, which may be secret. */
  #logFailure(id: number, thrown: string): void {
    const redact = redactorOf(secretsIn(this.#pending.get(id)?.args));
    for (const line of redact(thrown).split('\n')) this.#tail.add(line);
  }

  #exited(): void {
    const cause = this.#ended ? 'it was closed' : this.#cause;
    for (const call of [...this.#pending.values()]) call.reject(this.#unavailable(`stopped during the call: ${cause}`));
    if (this.#ended) return;
    this.#ended = true;
    this.#options.onCrash(cause);
  }

  #unavailable(what: string): LunaError {
    return new LunaError('source_unavailable', `The extension "${this.#options.name}" ${what}.`);
  }

  #send(message: ToWorker): void {
    this.#worker.postMessage(message);
  }
}

/** The worker runs the source when the source runs here, and the build when the build does. */
function workerFile(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url);
}

function firstMessage(worker: Worker, { name, signal }: HostOptions): Promise<FromWorker> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) => {
      done();
      reject(new LunaError('extension_invalid', `The extension "${name}" did not load: ${why}`));
    };
    const timer = setTimeout(() => fail(`it took longer than ${loadLimitMs} ms`), loadLimitMs);
    const onMessage = (message: FromWorker) => {
      done();
      resolve(message);
    };
    const onError = (error: unknown) => fail(messageOf(error));
    const onExit = () => fail('its worker ended while loading');
    const onAbort = () => fail('it was broken off');
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
    };
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort);
  });
}
