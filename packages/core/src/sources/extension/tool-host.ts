import type { SourceCall, Tool, ToolArguments, ToolExample, ToolResult } from '../../tools/index.ts';

/** What runs one version of an extension's tool files of one language. */
export interface ToolHost {
  readonly tools: readonly Tool[];
  /** What the files say as SYSTEM_PROMPT. */
  readonly systemPrompt: string | undefined;
  /** Examples of calls, by tool. */
  readonly examples: ToolExamples;
  readonly pid?: number;
  /** The last lines of standard error, oldest first. */
  log(): string[];
  /** Runs a tool. Throws `cancelled` when the signal is aborted and `source_unavailable` when the host ends. */
  call(name: string, args: ToolArguments, call: SourceCall): Promise<ToolResult>;
  /** Ends it once the calls under way have ended, or at the limit in milliseconds. */
  drain(limitMs: number): Promise<void>;
  stop(): Promise<void>;
}

export type ToolExamples = Readonly<Record<string, readonly ToolExample[]>>;

/** What a host tells of itself once it runs. */
export interface HostEvents {
  /** Breaks off the loading. */
  readonly signal: AbortSignal;
  /** It has ended without being asked to. Called once. */
  readonly onCrash: (reason: string) => void;
  /** A cancelled call goes on in it: another host should take its place. */
  readonly onStuck: (reason: string) => void;
}

/** The description of a tool with its examples, as models read them. */
export function describeWithExamples(description: string, examples: readonly ToolExample[]): string {
  if (examples.length === 0) return description;
  const lines = examples.map(({ prompt, args, response }) => {
    const shown = [`"${prompt}"`];
    if (args !== undefined) shown.push(`arguments ${JSON.stringify(args)}`);
    if (response !== undefined) shown.push(`answer ${JSON.stringify(response)}`);
    return `- ${shown.join(' → ')}`;
  });
  return `${description}\n\nExamples:\n${lines.join('\n')}`;
}
