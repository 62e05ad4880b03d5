/** What the pool and its workers say to each other. */

/** A script to be run once. */
export interface LuaTask {
  readonly script: string;
  /** For messages: the path of the file, as people know it. */
  readonly name: string;
  /** Become globals. */
  readonly args: Readonly<Record<string, unknown>>;
  readonly env: Readonly<Record<string, string>>;
  readonly memoryBytes: number;
  readonly maxOutputBytes: number;
  /** What of the host is there at all: `http`, `fs`, `tools`, `state`. */
  readonly modules: readonly string[];
}

export type ToLuaWorker = { readonly type: 'run'; readonly task: LuaTask };

export type FromLuaWorker =
  | { readonly type: 'ready' }
  /** The script wants something of the host, and waits. */
  | { readonly type: 'ask'; readonly what: string; readonly args: readonly unknown[] }
  | { readonly type: 'print'; readonly line: string }
  | { readonly type: 'done'; readonly result: unknown }
  /** Spoiled: no other script may be run by this worker. */
  | { readonly type: 'failed'; readonly message: string; readonly isSpoiled: boolean };

/** What the worker waits for. */
export type HostAnswer = { readonly value: unknown } | { readonly error: string };

/** What a worker is made with. */
export interface LuaWorkerData {
  /** One number, which becomes 1 when an answer has been put into the channel. */
  readonly signal: Int32Array;
  readonly answers: import('node:worker_threads').MessagePort;
}
