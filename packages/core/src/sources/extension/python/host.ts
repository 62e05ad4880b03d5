import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { LunaError, messageOf } from '../../../errors/index.ts';
import { type Child, describeExit, LineTail, startChild } from '../../../supervisor/index.ts';
import {
  argumentCheck,
  Cancellation,
  errorResult,
  type SourceCall,
  type Tool,
  type ToolArguments,
  type ToolResult,
  toToolResult,
} from '../../../tools/index.ts';
import type { ToolHost } from '../tool-host.ts';
import { pythonProgram } from './program.ts';

export interface PythonHostOptions {
  /** For messages. */
  readonly name: string;
  readonly folder: string;
  readonly files: readonly string[];
  readonly dataDir: string;
  /** The values of the secrets that the extension asks for. */
  readonly secrets: Readonly<Record<string, string>>;
  /** See `ChildOptions.owner`. */
  readonly owner?: string | undefined;
  readonly signal: AbortSignal;
  readonly onLog?: ((line: string) => void) | undefined;
  /** Called once when the process has ended without being asked to. */
  readonly onCrash: (reason: string) => void;
}

type FromPython =
  | { readonly type: 'loaded'; readonly tools: readonly Tool[]; readonly prompts: readonly string[] }
  | { readonly type: 'load-failed'; readonly message: string }
  | { readonly type: 'returned'; readonly id: number; readonly value: unknown }
  | { readonly type: 'raised'; readonly id: number; readonly message: string }
  | { readonly type: 'ended'; readonly id: number };

interface Pending {
  readonly resolve: (result: ToolResult) => void;
  readonly reject: (error: LunaError) => void;
}

const loadLimitMs = 30_000;
/** How long a function that was cancelled may go on, in milliseconds; Python cannot end a thread. */
const stuckLimitMs = 5_000;
const graceMs = 2_000;

/** The Python tool files of an extension, in a process that lives as long as this version of them. */
export class PythonHost implements ToolHost {
  readonly tools: readonly Tool[];
  readonly systemPrompt: string | undefined;
  readonly #child: Child;
  readonly #options: PythonHostOptions;
  readonly #tail: LineTail;
  readonly #checks: ReadonlyMap<string, (args: ToolArguments) => ToolArguments>;
  readonly #pending = new Map<number, Pending>();
  /** Cancelled calls whose functions still run. */
  readonly #stuck = new Set<number>();
  #lastId = 0;
  #ended = false;
  #cause: string | undefined;
  #onIdle: (() => void) | undefined;

  /** Starts Python and loads the files. Throws `extension_invalid`, naming file and line, or `command_not_found`. */
  static async start(options: PythonHostOptions): Promise<PythonHost> {
    const child = await startChild({
      command: await pythonOf(options.folder),
      args: ['-u', '-c', pythonProgram, options.folder, ...options.files],
      cwd: options.folder,
      env: { ...options.secrets, LUNA_DATA_DIR: options.dataDir, PYTHONDONTWRITEBYTECODE: '1' },
      ...(options.owner !== undefined && { owner: options.owner }),
    }).catch((thrown) => {
      const isMissing = thrown instanceof LunaError && thrown.code === 'command_not_found';
      throw isMissing
        ? new LunaError('extension_invalid', `The extension "${options.name}" needs python3, which is not installed.`, {
            cause: thrown,
          })
        : thrown;
    });
    const tail = new LineTail(child.stderr, { ...(options.onLog && { onLine: options.onLog }) });
    const lines = createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY });
    try {
      const loaded = await firstMessage(child, lines, options);
      if (loaded.type === 'loaded') return new PythonHost(child, options, tail, lines, loaded);
      throw new LunaError('extension_invalid', loaded.type === 'load-failed' ? loaded.message : 'did not load');
    } catch (thrown) {
      await child.stop(graceMs);
      throw thrown;
    }
  }

  private constructor(
    child: Child,
    options: PythonHostOptions,
    tail: LineTail,
    lines: ReturnType<typeof createInterface>,
    loaded: FromPython & { type: 'loaded' },
  ) {
    this.#child = child;
    this.#options = options;
    this.#tail = tail;
    this.tools = loaded.tools;
    this.systemPrompt = loaded.prompts.length > 0 ? loaded.prompts.join('\n\n') : undefined;
    this.#checks = new Map(loaded.tools.map((tool) => [tool.name, argumentCheck(tool.inputSchema)]));
    lines.on('line', (line) => this.#receive(line));
    child.stdin.on('error', () => undefined);
    void child.exited.then((exit) => this.#exited(describeExit(exit)));
  }

  log(): string[] {
    return this.#tail.lines();
  }

  async call(name: string, args: ToolArguments, call: SourceCall): Promise<ToolResult> {
    if (this.#ended) throw this.#unavailable('has ended');
    const check = this.#checks.get(name);
    if (!check) throw new LunaError('tool_not_found', `The extension "${this.#options.name}" has no tool "${name}".`);
    let checked: ToolArguments;
    try {
      checked = check(args);
    } catch (thrown) {
      // The model reads why, and tries again.
      return errorResult(messageOf(thrown));
    }
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId;
      const cancellation = call.cancellation ?? Cancellation.of(call.signal);
      const settle = () => {
        cancellation.offCancel(cancel);
        this.#pending.delete(id);
        if (this.#pending.size === 0) this.#onIdle?.();
      };
      const cancel = () => {
        this.#stuck.add(id);
        this.#send({ type: 'cancel', id });
        setTimeout(() => void this.#endIfStuck(name), stuckLimitMs).unref();
        settle();
        reject(new LunaError('cancelled', `The call of "${name}" was cancelled.`, { cause: cancellation.reason }));
      };
      this.#pending.set(id, {
        resolve: (result) => {
          settle();
          resolve(result);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      });
      if (cancellation.cancelled) return cancel();
      cancellation.onCancel(cancel);
      this.#send({ type: 'call', id, name, args: checked });
    });
  }

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
    await this.#child.stop(graceMs);
  }

  /** Functions that nobody waits for any more would pile up: the process is ended, unless others are at work in it. */
  async #endIfStuck(tool: string): Promise<void> {
    if (this.#stuck.size === 0 || this.#ended) return;
    if (this.#pending.size > 0) {
      this.#onIdle = () => void this.#endIfStuck(tool);
      return;
    }
    this.#cause = `its tool "${tool}" was cancelled and did not end`;
    await this.#child.stop(0);
  }

  #receive(line: string): void {
    const message = parseLine(line);
    if (!message || !('id' in message)) return;
    this.#stuck.delete(message.id);
    const pending = this.#pending.get(message.id);
    if (message.type === 'returned') pending?.resolve(toToolResult(message.value));
    else if (message.type === 'raised') pending?.resolve(errorResult(message.message));
  }

  #exited(how: string): void {
    const cause = this.#ended ? 'it was closed' : (this.#cause ?? `its process ${how}`);
    for (const call of [...this.#pending.values()]) call.reject(this.#unavailable(`stopped during the call: ${cause}`));
    if (this.#ended) return;
    this.#ended = true;
    this.#options.onCrash(cause);
  }

  #unavailable(what: string): LunaError {
    return new LunaError('source_unavailable', `The extension "${this.#options.name}" ${what}.`);
  }

  #send(message: object): void {
    this.#child.stdin.write(`${JSON.stringify(message)}\n`);
  }
}

function firstMessage(
  child: Child,
  lines: ReturnType<typeof createInterface>,
  { name, signal }: PythonHostOptions,
): Promise<FromPython> {
  return new Promise((resolve, reject) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    };
    const fail = (why: string) => {
      done();
      reject(new LunaError('extension_invalid', `The extension "${name}" did not load: ${why}`));
    };
    const onAbort = () => fail('it was broken off');
    const timer = setTimeout(() => fail(`it took longer than ${loadLimitMs} ms`), loadLimitMs);
    lines.once('line', (line) => {
      done();
      const message = parseLine(line);
      if (message) resolve(message);
      else fail('Python said something else');
    });
    void child.exited.then((exit) => fail(`its process ${describeExit(exit)}`));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}

function parseLine(line: string): FromPython | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** The Python with the packages of the extension, where they were installed. */
async function pythonOf(folder: string): Promise<string> {
  const own = join(folder, '.venv', 'bin', 'python3');
  return access(own, constants.X_OK).then(
    () => own,
    () => 'python3',
  );
}
