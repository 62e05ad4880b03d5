import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { type LuaEngine, LuaFactory } from 'wasmoon';
import { callLoaded, mendConversions, NoJson } from './conversions.ts';
import type { FromLuaWorker, HostAnswer, LuaTask, LuaWorkerData, ToLuaWorker } from './messages.ts';
import { prelude } from './prelude.ts';

/**
 * Runs Lua scripts, one at a time, each in a VM of its own. It has no limit of time: whoever waits for it ends the whole
 * worker, which no script can keep from happening.
 */

/** Lines that one run may print. */
const maxLines = 2_000;
/** Of one argument to the host, in characters; a file that is written is as long at most. */
const maxArgument = 16_000_000;

const { signal, answers } = workerData as LuaWorkerData;
const factory = new LuaFactory();

/** While the script waits nothing else happens in this thread. */
function ask(what: string, args: readonly unknown[]): HostAnswer {
  Atomics.store(signal, 0, 0);
  post({ type: 'ask', what, args });
  Atomics.wait(signal, 0, 0);
  return receiveMessageOnPort(answers)?.message ?? { error: 'Luna did not answer' };
}

async function run(task: LuaTask): Promise<FromLuaWorker> {
  const engine = await factory.createEngine({
    openStandardLibs: true,
    injectObjects: false,
    enableProxy: false,
    traceAllocations: true,
  });
  try {
    prepare(engine, task);
    engine.global.setMemoryMax(engine.global.getMemoryUsed() + task.memoryBytes);
    engine.global.loadString(task.script, `@${task.name}`);
    const result = callLoaded(engine.global, (thrown) => resultText(thrown, task.maxOutputBytes));
    return { type: 'done', result: plain(result, task.maxOutputBytes) };
  } catch (thrown) {
    return { type: 'failed', message: reasonOf(thrown, task), isSpoiled: isTrap(thrown) };
  } finally {
    close(engine);
  }
}

/** Lua itself broke off somewhere: the machine that all scripts of this thread run on is not what it was. */
function isTrap(thrown: unknown): boolean {
  return thrown instanceof RangeError || (thrown instanceof Error && thrown.name === 'RuntimeError');
}

function close(engine: LuaEngine): void {
  try {
    engine.global.close();
  } catch {
    // After a trap; the whole thread is about to end.
  }
}

function prepare(engine: LuaEngine, task: LuaTask): void {
  engine.global.set('__host', (what: string, ...args: unknown[]) => {
    try {
      return ask(what, args.map(transferable));
    } catch (thrown) {
      // As a text: no object of this side is for scripts.
      return { error: `${what}: ${thrown instanceof Error ? thrown.message : 'it failed'}` };
    }
  });
  let left = task.maxOutputBytes;
  let linesLeft = maxLines;
  engine.global.set('__say', (line: unknown) => {
    if (left < 0 || linesLeft < 0) return;
    const text = String(line);
    left -= text.length + 1;
    linesLeft--;
    post({ type: 'print', line: left < 0 || linesLeft < 0 ? '… what follows is too long' : text });
  });
  engine.global.set('__modules', Object.fromEntries(task.modules.map((name) => [name, true])));
  engine.global.set('__env', { ...task.env });
  engine.doStringSync(prelude);
  for (const [name, value] of Object.entries(task.args)) engine.global.set(name, value ?? undefined);
}

/** A result as JSON: what is none cannot leave. */
function plain(value: unknown, maxBytes: number): unknown {
  if (value === undefined || value === null) return null;
  if (typeof value === 'function') throw new Error('the script returned a function, which is no result');
  if (isNoNumber(value)) throw new Error(`the script returned ${value}, which is no JSON`);
  return JSON.parse(resultText(value, maxBytes));
}

function resultText(value: unknown, maxBytes: number): string {
  const text = jsonText(value, 'the result', String);
  if (text.length > maxBytes) throw new Error(`the result is longer than ${maxBytes} bytes`);
  return text;
}

/** An argument as JSON, within limits, so that nobody on the other side has to do with what is none. */
function transferable(value: unknown): unknown {
  if (value === undefined || value === null) return value;
  if (typeof value === 'string' && value.length <= maxArgument) return value;
  const text = jsonText(value, 'an argument', Number);
  if (text.length > maxArgument) throw new Error('an argument is too long');
  return JSON.parse(text);
}

/** `ofBig`: what becomes of a whole number that is not exact in JavaScript. */
function jsonText(value: unknown, what: string, ofBig: (big: bigint) => unknown): string {
  return JSON.stringify(value, (_key, inner) => {
    if (inner instanceof NoJson) throw new Error(inner.why);
    if (typeof inner === 'function') throw new Error(`${what} holds a function`);
    if (isNoNumber(inner)) throw new Error(`${what} holds ${inner}, which is no JSON`);
    return typeof inner === 'bigint' ? ofBig(inner) : inner;
  });
}

function isNoNumber(value: unknown): boolean {
  return typeof value === 'number' && !Number.isFinite(value);
}

function reasonOf(thrown: unknown, task: LuaTask): string {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (/not enough memory/.test(message) || thrown instanceof RangeError)
    return `it needed more than ${Math.round(task.memoryBytes / 1_048_576)} MB of memory`;
  return message.split('\n')[0] ?? message;
}

function post(message: FromLuaWorker): void {
  parentPort?.postMessage(message);
}

parentPort?.on('message', ({ task }: ToLuaWorker) => void run(task).then(post));
mendConversions(await factory.getLuaModule());
post({ type: 'ready' });
