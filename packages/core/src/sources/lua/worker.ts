import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { type LuaEngine, LuaFactory, LuaThread } from 'wasmoon';
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
/** Levels of tables in arguments and results. */
const maxDepth = 200;

guardConversions();

const { signal, answers } = workerData as LuaWorkerData;
const factory = new LuaFactory();

/**
 * wasmoon converts tables level by level and does not ask Lua for room on its stack: deep ones overwrite the memory
 * behind it. So room is made here for each value, and there is an end to the levels.
 */
function guardConversions(): void {
  const { pushValue, getValue } = LuaThread.prototype;
  let depth = 0;
  const guarded = <Value>(thread: LuaThread, convert: () => Value): Value => {
    if (depth > maxDepth) throw new Error(`a table is nested deeper than ${maxDepth} levels`);
    if (thread.lua.lua_checkstack(thread.address, 40) === 0) throw new Error('not enough memory');
    depth++;
    try {
      return convert();
    } finally {
      depth--;
    }
  };
  LuaThread.prototype.pushValue = function (this: LuaThread, ...args: Parameters<typeof pushValue>) {
    return guarded(this, () => pushValue.apply(this, args));
  };
  LuaThread.prototype.getValue = function (this: LuaThread, ...args: Parameters<typeof getValue>) {
    return guarded(this, () => getValue.apply(this, args));
  };
}

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
    const [result] = engine.global.runSync();
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
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new Error(`the script returned ${value}, which is no JSON`);
  const text = JSON.stringify(value, (_key, inner) => {
    if (typeof inner === 'function') throw new Error('the result holds a function');
    return inner;
  });
  if (text.length > maxBytes) throw new Error(`the result is longer than ${maxBytes} bytes`);
  return JSON.parse(text);
}

/** An argument as JSON, within limits, so that nobody on the other side has to do with what is none. */
function transferable(value: unknown): unknown {
  if (typeof value === 'string' && value.length > maxArgument) throw new Error('an argument is too long');
  if (typeof value !== 'object' || value === null) return typeof value === 'function' ? 'function' : value;
  const text = JSON.stringify(value, (_key, inner) => {
    if (typeof inner === 'function') throw new Error('an argument holds a function');
    return inner;
  });
  if (text.length > maxArgument) throw new Error('an argument is too long');
  return JSON.parse(text);
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
await factory.getLuaModule();
post({ type: 'ready' });
