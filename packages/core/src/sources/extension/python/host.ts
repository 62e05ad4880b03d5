import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { LunaError, messageOf } from '../../../errors/index.ts';
import {
  type Child,
  type ChildExit,
  describeExit,
  LineTail,
  Pulse,
  startChild,
  UnderWay,
} from '../../../supervisor/index.ts';
import {
  argumentCheck,
  Cancellation,
  errorResult,
  type SourceCall,
  type Tool,
  type ToolArguments,
  type ToolResult,
} from '../../../tools/index.ts';
import { describeWithExamples, type HostEvents, type ToolExamples, type ToolHost } from '../tool-host.ts';
import { adviceOnMissing, pythonOf } from './interpreter.ts';
import { type FromPython, fromPython, type ToPython } from './messages.ts';
import { resultOfPython } from './result.ts';

export interface PythonHostOptions extends HostEvents {
  /** For messages. */
  readonly name: string;
  readonly files: readonly string[];
  readonly folder: string;
  /** What the process gets in its environment, beside the few common variables. */
  readonly env: Readonly<Record<string, string>>;
  /** See `ChildOptions.owner`. */
  readonly owner?: string | undefined;
  /** How long a cancelled function may take to end before another process takes over, in ms. Default 2 s. */
  readonly cancelLimitMs?: number | undefined;
  readonly onLog?: ((line: string) => void) | undefined;
}

/** How long files may take to load, and the process to end, in milliseconds. */
const loadLimitMs = 30_000;
const endLimitMs = 2_000;
/** How long what was written before the end may take to arrive, in milliseconds. */
const lastWordsMs = 250;
const resultLimitBytes = 16 * 1024 * 1024;

interface PendingCall {
  readonly resolve: (result: ToolResult) => void;
  readonly reject: (error: LunaError) => void;
}

/** A process that runs the Python tools of one extension, from its start to its end. */
export class PythonHost implements ToolHost {
  readonly tools: readonly Tool[];
  readonly systemPrompt: string | undefined;
  readonly examples: ToolExamples;
  readonly pid: number;
  readonly #child: Child;
  readonly #options: PythonHostOptions;
  readonly #tail: LineTail;
  readonly #checks: ReadonlyMap<string, ReturnType<typeof argumentCheck>>;
  readonly #pending = new UnderWay<PendingCall>();
  readonly #pulse = new Pulse(() => send(this.#child, { type: 'ping' }));
  /** Cancelled calls whose function has not ended yet. */
  readonly #leaving = new Map<number, NodeJS.Timeout>();
  #ended = false;
  #cause: string | undefined;

  /** Starts Python and loads the files. Throws `extension_invalid`, naming file and line, when they do not load. */
  static async start(options: PythonHostOptions): Promise<PythonHost> {
    const { name, files, folder, env, owner, onLog } = options;
    const { command, isOwn } = await pythonOf(folder);
    const child = await startChild({
      command,
      // No compiled files: they would lie among what is watched. UTF-8, whatever the language of the system.
      args: ['-B', '-X', 'utf8', fileURLToPath(hostScript)],
      cwd: folder,
      env,
      ...(owner !== undefined && { owner }),
    }).catch((thrown: unknown) => {
      const isMissing = thrown instanceof LunaError && thrown.code === 'command_not_found';
      const what = `The extension "${name}" needs python3, 3.9 or later. Install it and save a file of the extension.`;
      throw isMissing ? new LunaError('extension_invalid', what, { cause: thrown }) : thrown;
    });
    const tail = new LineTail(child.stderr, { ...(onLog && { onLine: onLog }) });
    // A process that has gone is told by its end; nobody else waits for what is written to it.
    child.stdin.on('error', () => undefined);
    send(child, { type: 'load', files, folder, resultLimitBytes });
    try {
      const loaded = await firstMessage(child, options, tail);
      if (loaded.type === 'loaded') return new PythonHost(child, options, tail, loaded);
      if (loaded.type !== 'load-failed') throw new LunaError('internal', `Python began with "${loaded.type}".`);
      const advice = loaded.missingModule && !isOwn ? await adviceOnMissing(loaded.missingModule, folder) : '';
      throw new LunaError('extension_invalid', loaded.message + advice, { details: { extension: name } });
    } catch (thrown) {
      await child.stop(endLimitMs);
      throw thrown;
    }
  }

  private constructor(
    child: Child,
    options: PythonHostOptions,
    tail: LineTail,
    loaded: FromPython & { type: 'loaded' },
  ) {
    this.#child = child;
    this.pid = child.pid;
    this.#options = options;
    this.#tail = tail;
    this.systemPrompt = loaded.systemPrompt ?? undefined;
    this.tools = loaded.tools.map(({ examples, description, ...tool }) => ({
      ...tool,
      description: describeWithExamples(description, examples),
    }));
    this.examples = Object.fromEntries(loaded.tools.map(({ name, examples }) => [name, examples]));
    this.#checks = new Map(loaded.tools.map(({ name, inputSchema }) => [name, argumentCheck(inputSchema)]));
    createInterface({ input: child.stdout }).on('line', (line) => this.#receive(line));
    void this.#watchEnd();
  }

  log(): string[] {
    return this.#tail.lines();
  }

  async call(name: string, args: ToolArguments, call: SourceCall): Promise<ToolResult> {
    if (this.#ended) throw this.#unavailable('has ended');
    let checked: ToolArguments;
    try {
      checked = this.#checks.get(name)?.(args) ?? args;
    } catch (thrown) {
      return errorResult(`${name}: ${messageOf(thrown)}`);
    }
    return this.#run(name, checked, call);
  }

  async drain(limitMs: number): Promise<void> {
    await this.#pending.idle(limitMs);
    await this.stop();
  }

  async stop(): Promise<void> {
    this.#ended = true;
    this.#rejectAll('it was closed');
    await this.#child.stop(endLimitMs);
  }

  #run(name: string, args: ToolArguments, call: SourceCall): Promise<ToolResult> {
    return new Promise((resolve, reject) => {
      const id = this.#pending.next();
      const cancellation = call.cancellation ?? Cancellation.of(call.signal);
      const settle = (finish: () => void) => {
        cancellation.offCancel(cancel);
        this.#pending.end(id);
        finish();
      };
      const cancel = () => {
        this.#cancel(id, name);
        settle(() =>
          reject(new LunaError('cancelled', `The call of "${name}" was cancelled.`, { cause: cancellation.reason })),
        );
      };
      this.#pending.begin(id, {
        resolve: (result) => settle(() => resolve(result)),
        reject: (error) => settle(() => reject(error)),
      });
      if (cancellation.cancelled) {
        return settle(() => reject(new LunaError('cancelled', `The call of "${name}" was cancelled.`)));
      }
      cancellation.onCancel(cancel);
      send(this.#child, { type: 'call', id, name, args });
    });
  }

  /** Asks the function to end. One that does not costs the process: a thread cannot be ended from outside. */
  #cancel(id: number, tool: string): void {
    send(this.#child, { type: 'cancel', id });
    const timer = setTimeout(() => {
      this.#leaving.delete(id);
      void this.#giveUpOn(tool);
    }, this.#options.cancelLimitMs ?? 2_000);
    this.#leaving.set(id, timer);
  }

  async #giveUpOn(tool: string): Promise<void> {
    if (this.#ended || this.#pulse.isAsking) return;
    const isFree = await this.#pulse.answers();
    if (this.#ended) return;
    if (isFree) {
      this.#options.onStuck(
        `The tool "${tool}" did not end when it was cancelled; Python is started anew for the rest.`,
      );
      return;
    }
    // Nothing else can run in it either.
    this.#cause = `its tool "${tool}" kept Python busy and could not be cancelled`;
    await this.#child.stop(0);
  }

  #receive(line: string): void {
    const message = parseMessage(line);
    if (message?.type === 'pong') this.#pulse.pong();
    if (message?.type !== 'result') return;
    clearTimeout(this.#leaving.get(message.id));
    this.#leaving.delete(message.id);
    this.#pending.get(message.id)?.resolve(resultOfPython(message.outcome));
  }

  async #watchEnd(): Promise<void> {
    const exit = await endOf(this.#child);
    for (const timer of this.#leaving.values()) clearTimeout(timer);
    this.#leaving.clear();
    if (this.#ended) return;
    this.#ended = true;
    const cause = this.#cause ?? `Python ${describeExit(exit)}`;
    this.#rejectAll(cause);
    // Programs that its tools had started are still there.
    await this.#child.stop(endLimitMs);
    this.#options.onCrash(cause);
  }

  #rejectAll(cause: string): void {
    for (const call of this.#pending.all()) call.reject(this.#unavailable(`stopped during the call: ${cause}`));
  }

  #unavailable(what: string): LunaError {
    return new LunaError('source_unavailable', `The extension "${this.#options.name}" ${what}.`);
  }
}

/** Beside `src` and `dist` alike, so that nothing has to be copied by the build. */
const hostScript = new URL('../../../../python/run_host.py', import.meta.url);

function send(child: Child, message: ToPython): void {
  child.stdin.write(`${JSON.stringify(message)}\n`);
}

/** How the process ended, once what it wrote before has arrived. */
async function endOf(child: Child): Promise<ChildExit> {
  const written = new Promise<void>((settle) => child.stdout.once('end', settle));
  const exit = await child.exited;
  // Not for ever: a process that it left behind may hold the pipe open.
  await Promise.race([written, new Promise((settle) => setTimeout(settle, lastWordsMs))]);
  return exit;
}

/** A message, or nothing for what is none: a tool may have found the pipe. */
function parseMessage(line: string): FromPython | undefined {
  try {
    return fromPython.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}

function firstMessage(child: Child, { name, signal }: PythonHostOptions, tail: LineTail): Promise<FromPython> {
  return new Promise((resolve, reject) => {
    const lines = createInterface({ input: child.stdout });
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      lines.close();
    };
    const fail = (why: string) => {
      done();
      reject(new LunaError('extension_invalid', `The Python tools of "${name}" did not load: ${why}`));
    };
    const timer = setTimeout(() => fail(`they took longer than ${loadLimitMs} ms`), loadLimitMs);
    const onAbort = () => fail('it was broken off');
    lines.on('line', (line) => {
      const message = parseMessage(line);
      if (!message) return;
      done();
      resolve(message);
    });
    void endOf(child).then((exit) => {
      const last = tail.lines().at(-1);
      fail(`Python ${describeExit(exit)}${last === undefined ? '' : `: ${last}`}`);
    });
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort);
  });
}
