import type { Tool, ToolArguments, ToolProgress, ToolResult } from '../../tools/index.ts';
import type { ToolExamples } from './tool-host.ts';

/** What the host of an extension and its worker say to each other. */

/** Given to the worker when it starts. */
export interface WorkerTask {
  readonly files: readonly string[];
  readonly folder: string;
  readonly dataDir: string;
}

export type ToWorker =
  | {
      readonly type: 'call';
      readonly id: number;
      readonly name: string;
      readonly args: ToolArguments;
      readonly services: Readonly<Record<string, string>>;
    }
  | { readonly type: 'cancel'; readonly id: number }
  | { readonly type: 'ping' };

export type FromWorker =
  | {
      readonly type: 'loaded';
      readonly tools: readonly Tool[];
      readonly examples: ToolExamples;
      readonly systemPrompt?: string;
    }
  | { readonly type: 'load-failed'; readonly message: string }
  /** What a tool threw, for the log. Comes before its result. */
  | { readonly type: 'failed'; readonly id: number; readonly thrown: string }
  | { readonly type: 'result'; readonly id: number; readonly result: ToolResult }
  | { readonly type: 'progress'; readonly id: number; readonly progress: ToolProgress }
  | { readonly type: 'pong' };
