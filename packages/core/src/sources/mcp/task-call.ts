import { setTimeout as sleep } from 'node:timers/promises';
import { LunaError } from '../../errors/index.ts';
import type { SourceCall, Tool, ToolResult } from '../../tools/index.ts';
import type { Wire } from './wire.ts';

/**
 * Tools that a server only runs as tasks (MCP 2025-11-25, tasks, `execution.taskSupport: "required"`). Luna starts the
 * task and waits for it, so that to its own clients the tool is one like any other.
 */

/** How often a task is asked after, in milliseconds, where the server does not say; and the least and the most. */
const poll = { standard: 1_000, least: 50, most: 10_000 };

export function needsTask(tool: Tool): boolean {
  return isObject(tool.execution) && tool.execution.taskSupport === 'required';
}

/** The tool as Luna's clients may call it: without a word of tasks. */
export function withoutTaskSupport(tool: Tool): Tool {
  if (!isObject(tool.execution) || tool.execution.taskSupport === undefined) return tool;
  const { execution: _execution, ...rest } = tool;
  const { taskSupport: _taskSupport, ...execution } = tool.execution;
  return Object.keys(execution).length > 0 ? { ...rest, execution } : rest;
}

/** Runs a call as a task and returns its result. Cancelling the call cancels the task. */
export async function callAsTask(
  wire: Wire,
  params: Readonly<Record<string, unknown>>,
  call: SourceCall,
): Promise<ToolResult> {
  const created = await wire.request('tools/call', { ...params, task: {} }, call);
  const { taskId } = isObject(created.task) ? created.task : {};
  if (typeof taskId !== 'string')
    throw new LunaError('upstream_error', 'The server was asked for a task and made none.');
  try {
    await ended(wire, taskId, created.task, call);
    return (await wire.request('tasks/result', { taskId }, call)) as ToolResult;
  } catch (thrown) {
    if (!call.signal.aborted) throw thrown;
    await cancel(wire, taskId);
    throw new LunaError('cancelled', 'The request was cancelled.', { cause: thrown });
  }
}

async function ended(
  wire: Wire,
  taskId: string,
  first: unknown,
  { signal, requestId, onProgress }: SourceCall,
): Promise<void> {
  let polls = 0;
  for (let task = first; isObject(task) && task.status === 'working'; ) {
    const wanted = typeof task.pollInterval === 'number' ? task.pollInterval : poll.standard;
    await sleep(Math.min(Math.max(wanted, poll.least), poll.most), undefined, { signal });
    task = await wire.request('tasks/get', { taskId }, { signal, requestId });
    // A task that says that it is working is not silent.
    onProgress?.({
      progress: ++polls,
      ...(isObject(task) && typeof task.statusMessage === 'string' && { message: task.statusMessage }),
    });
  }
}

async function cancel(wire: Wire, taskId: string): Promise<void> {
  try {
    await wire.request('tasks/cancel', { taskId }, { signal: AbortSignal.timeout(5_000) });
  } catch {
    // The task may have ended meanwhile, or the connection; the caller has gone in any case.
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
