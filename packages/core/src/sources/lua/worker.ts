import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { type LuaEngine, LuaFactory } from 'wasmoon';
import type { FromLuaWorker, HostAnswer, LuaTask, LuaWorkerData, ToLuaWorker } from './messages.ts';
import { prelude } from './prelude.ts';

/**
 * Runs Lua scripts, one at a time, each in a VM of its own. It has no limit of time: whoever waits for it ends the whole
 * worker, which no script can keep from happening.
 */

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
    const [result] = engine.global.runSync();
    return { type: 'done', result: plain(result, task.maxOutputBytes) };
  } catch (thrown) {
    return { type: 'failed', message: reasonOf(thrown, task) };
  } finally {
    engine.global.close();
  }
}

function prepare(engine: LuaEngine, task: LuaTask): void {
  let printed = 0;
  engine.global.set('__host', (what: string, ...args: unknown[]) => ask(what, args.map(transferable)));
  engine.global.set('__say', (line: string) => {
    printed += line.length + 1;
    if (printed <= task.maxOutputBytes) post({ type: 'print', line });
    else if (printed - line.length - 1 <= task.maxOutputBytes)
      post({ type: 'print', line: '… what follows is too long' });
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

function transferable(value: unknown): unknown {
  return typeof value === 'function' ? String(value) : value;
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
