import { registerHooks } from 'node:module';
import { inspect } from 'node:util';
import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../../errors/index.ts';
import { errorResult, type ToolContext, toToolResult } from '../../tools/index.ts';
import { type LoadedTool, loadToolFile } from './load.ts';
import type { FromWorker, ToWorker, WorkerTask } from './messages.ts';

/** The entry of an extension's worker: loads its tool files once, then runs calls until it is ended. */

const task: WorkerTask = workerData;
const calls = new Map<number, AbortController>();
const tools = new Map<string, LoadedTool>();

// An extension may import Luna's own library, and zod, without installing them.
registerHooks({
  resolve(specifier, context, nextResolve) {
    const fromLuna = () => nextResolve(specifier, { ...context, parentURL: import.meta.url });
    if (specifier.startsWith('@luna/core')) return fromLuna();
    if (specifier !== 'zod' && !specifier.startsWith('zod/')) return nextResolve(specifier, context);
    try {
      return nextResolve(specifier, context);
    } catch {
      return fromLuna();
    }
  },
});

parentPort?.on('message', (message: ToWorker) => {
  if (message.type === 'ping') send({ type: 'pong' });
  else if (message.type === 'cancel') calls.get(message.id)?.abort();
  else void run(message);
});

await load();

async function load(): Promise<void> {
  try {
    const prompts: string[] = [];
    for (const file of task.files) {
      const loaded = await loadToolFile(file, task.folder);
      if (loaded.systemPrompt !== undefined) prompts.push(loaded.systemPrompt);
      for (const tool of loaded.tools) {
        if (tools.has(tool.tool.name)) throw new Error(`${file}: a second tool is named "${tool.tool.name}".`);
        tools.set(tool.tool.name, tool);
      }
    }
    const listed = [...tools.values()].map(({ tool }) => tool);
    const examples = Object.fromEntries([...tools].map(([name, tool]) => [name, tool.examples]));
    send({
      type: 'loaded',
      tools: listed,
      examples,
      ...(prompts.length > 0 && { systemPrompt: prompts.join('\n\n') }),
    });
  } catch (thrown) {
    send({ type: 'load-failed', message: messageOf(thrown) });
  }
}

async function run({ id, name, args, services }: ToWorker & { type: 'call' }): Promise<void> {
  const loaded = tools.get(name);
  if (!loaded) return send({ type: 'result', id, result: errorResult(`There is no tool "${name}" here.`) });
  const controller = new AbortController();
  calls.set(id, controller);
  const context: ToolContext = {
    signal: controller.signal,
    dataDir: task.dataDir,
    services,
    progress: (progress) => send({ type: 'progress', id, progress }),
  };
  try {
    const checked = await loaded.check(args);
    const result =
      'wrong' in checked
        ? errorResult(`The arguments of ${name} do not fit: ${checked.wrong}`)
        : toToolResult(await loaded.handler(checked.value, context));
    send({ type: 'result', id, result });
  } catch (thrown) {
    send({ type: 'failed', id, thrown: inspect(thrown) });
    send({ type: 'result', id, result: errorResult(`${name} failed: ${messageOf(thrown)}`) });
  } finally {
    calls.delete(id);
  }
}

function send(message: FromWorker): void {
  parentPort?.postMessage(message);
}
