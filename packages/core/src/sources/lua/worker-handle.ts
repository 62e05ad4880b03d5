import { MessageChannel, Worker } from 'node:worker_threads';
import { LunaError } from '../../errors/index.ts';
import { workerBeside } from '../../supervisor/index.ts';
import type { Cancellation } from '../../tools/index.ts';
import type { FromLuaWorker, HostAnswer, LuaTask } from './messages.ts';
import { Stopwatch } from './stopwatch.ts';

/** One run of a script. */
export interface LuaRun {
  readonly task: LuaTask;
  /** The longest time of running, and of waiting for the host, in milliseconds. */
  readonly runMs: number;
  readonly waitMs: number;
  /** Does what the script asks of the host. Throws what the script is told. */
  readonly host: (what: string, args: readonly unknown[]) => Promise<unknown>;
  readonly onPrint: (line: string) => void;
  readonly cancellation?: Cancellation | undefined;
}

/** A worker that runs one script at a time, as seen from here. */
export class LuaWorker {
  isEnded = false;
  readonly #worker: Worker;
  readonly #signal = new Int32Array(new SharedArrayBuffer(4));
  readonly #answers: MessageChannel['port1'];
  readonly #ready: Promise<void>;
  #onMessage: (message: FromLuaWorker) => void = () => undefined;
  #onEnd: (why: string) => void = () => undefined;

  constructor() {
    const { port1, port2 } = new MessageChannel();
    this.#answers = port1;
    port1.unref();
    this.#worker = new Worker(workerBeside(import.meta.url), {
      workerData: { signal: this.#signal, answers: port2 },
      transferList: [port2],
      env: {},
      execArgv: [],
      name: 'lua',
      resourceLimits: { maxOldGenerationSizeMb: 256 },
      stdout: true,
      stderr: true,
    });
    this.#worker.unref();
    this.#ready = new Promise((resolve) => {
      this.#onMessage = ({ type }) => {
        if (type === 'ready') resolve();
      };
    });
    this.#worker.on('message', (message: FromLuaWorker) => this.#onMessage(message));
    this.#worker.on('error', (error) => this.#ended(error.message));
    this.#worker.on('exit', () => this.#ended('its worker ended'));
  }

  /** `onRunning`: told when the script begins to wait for the host, and when it goes on. */
  async run(
    { task, runMs, waitMs, host, onPrint, cancellation }: LuaRun,
    onRunning: (isRunning: boolean) => void,
  ): Promise<unknown> {
    if (this.isEnded) throw stopping();
    await Promise.race([this.#ready, new Promise<void>((resolve) => (this.#onEnd = () => resolve()))]);
    return new Promise((resolve, reject) => {
      const running = new Stopwatch(runMs, () => stop('timeout', `it ran longer than ${runMs / 1000} seconds`));
      const waiting = new Stopwatch(waitMs, () => stop('timeout', `it waited longer than ${waitMs / 1000} seconds`));
      const settle = () => {
        running.stop();
        waiting.stop();
        cancellation?.offCancel(onCancel);
        this.#onMessage = () => undefined;
        this.#onEnd = () => undefined;
      };
      const stop = (code: 'timeout' | 'cancelled' | 'tool_failed', why: string) => {
        settle();
        void this.end();
        reject(new LunaError(code, `${task.name}: ${why}.`));
      };
      const onCancel = () => stop('cancelled', 'it was cancelled');
      this.#onEnd = (why) => stop('tool_failed', why);
      this.#onMessage = (message) => {
        if (message.type === 'print') onPrint(message.line);
        else if (message.type === 'ask') {
          running.stop();
          waiting.start();
          onRunning(false);
          void answerOf(host, message).then((answer) => {
            waiting.stop();
            if (this.isEnded) return;
            onRunning(true);
            running.start();
            this.#answers.postMessage(answer);
            Atomics.store(this.#signal, 0, 1);
            Atomics.notify(this.#signal, 0);
          });
        } else if (message.type === 'done') {
          settle();
          resolve(message.result);
        } else if (message.type === 'failed') {
          settle();
          if (message.isSpoiled) void this.end();
          reject(new LunaError('tool_failed', message.message));
        }
      };
      if (this.isEnded) return stop('tool_failed', 'its worker ended');
      if (cancellation?.cancelled) return onCancel();
      cancellation?.onCancel(onCancel);
      running.start();
      this.#worker.postMessage({ type: 'run', task });
    });
  }

  async end(): Promise<void> {
    this.isEnded = true;
    this.#onEnd('its worker ended');
    await this.#worker.terminate();
    this.#answers.close();
  }

  #ended(why: string): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.#onEnd(why);
  }
}

async function answerOf(
  host: LuaRun['host'],
  { what, args }: { what: string; args: readonly unknown[] },
): Promise<HostAnswer> {
  try {
    return { value: await host(what, args) };
  } catch (thrown) {
    return { error: thrown instanceof Error ? thrown.message : String(thrown) };
  }
}

/** The error of what comes while Luna ends. */
export function stopping(): LunaError {
  return new LunaError('source_unavailable', 'Luna is stopping.', { details: { outcome: 'failed' } });
}
