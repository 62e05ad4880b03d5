import type { Worker } from 'node:worker_threads';
import { redactorOf, secretsIn } from '../../config/index.ts';
import { LunaError, messageOf } from '../../errors/index.ts';
import { firstMessage, type LineTail, Pulse, startWorker, UnderWay, workerBeside } from '../../supervisor/index.ts';
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
  readonly #pending = new UnderWay<PendingCall>();
  readonly #pulse = new Pulse(() => this.#send({ type: 'ping' }));
  #ended = false;
  #cause = 'it ended by itself';

  /** Starts a worker and loads the files. Throws `extension_invalid`, naming file and line, when they do not load. */
  static async start(options: HostOptions): Promise<ExtensionHost> {
    const { files, folder, dataDir, env, name, memoryLimitMb, onLog, signal } = options;
    const data: WorkerTask = { files, folder, dataDir };
    const { worker, tail } = startWorker(workerBeside(import.meta.url), { data, env, name, memoryLimitMb, onLog });
    try {
      const loaded = await firstMessage<FromWorker>(worker, `The extension "${name}"`, signal);
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
      const id = this.#pending.next();
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
        this.#pending.end(id);
        finish();
      };
      this.#pending.begin(id, {
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
    await this.#pending.idle(limitMs);
    await this.stop();
  }

  async stop(): Promise<void> {
    this.#ended = true;
    await this.#worker.terminate();
  }

  /** A handler that never yields cannot be cancelled: a worker that does not answer is ended. */
  async #endIfStuck(tool: string): Promise<void> {
    if (this.#pulse.isAsking) return;
    const answered = await this.#pulse.answers();
    if (answered || this.#ended) return;
    this.#cause = `its tool "${tool}" kept the worker busy and could not be cancelled`;
    await this.#worker.terminate();
  }

  #receive(message: FromWorker): void {
    if (message.type === 'result') this.#pending.get(message.id)?.resolve(message.result);
    else if (message.type === 'progress') this.#pending.get(message.id)?.onProgress?.(message.progress);
    else if (message.type === 'failed') this.#logFailure(message.id, message.thrown);
    else if (message.type === 'pong') this.#pulse.pong();
  }

  /** Errors quote arguments, which may be secret. */
  #logFailure(id: number, thrown: string): void {
    const redact = redactorOf(secretsIn(this.#pending.get(id)?.args));
    for (const line of redact(thrown).split('\n')) this.#tail.add(line);
  }

  #exited(): void {
    const cause = this.#ended ? 'it was closed' : this.#cause;
    for (const call of this.#pending.all()) call.reject(this.#unavailable(`stopped during the call: ${cause}`));
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
