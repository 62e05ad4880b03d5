import type { SourceCall, Tool, ToolArguments, ToolResult } from '../../tools/index.ts';

/** What runs the tool files of an extension, from its start to its end. Another version of the files gets another one. */
export interface ToolHost {
  readonly tools: readonly Tool[];
  readonly systemPrompt: string | undefined;
  call(name: string, args: ToolArguments, call: SourceCall): Promise<ToolResult>;
  /** The last lines that its process wrote to standard error, oldest first. */
  log(): string[];
  /** Ends once the calls under way have ended, or at the limit in milliseconds. */
  drain(limitMs: number): Promise<void>;
  stop(): Promise<void>;
}

/** Several hosts as one: an extension may have tool files in two languages. */
export function together(hosts: readonly ToolHost[]): ToolHost {
  const [only] = hosts;
  if (only && hosts.length === 1) return only;
  const owners = new Map(hosts.flatMap((host) => host.tools.map((tool) => [tool.name, host] as const)));
  const prompts = hosts.flatMap(({ systemPrompt }) => (systemPrompt === undefined ? [] : [systemPrompt]));
  return {
    tools: hosts.flatMap(({ tools }) => tools),
    systemPrompt: prompts.length > 0 ? prompts.join('\n\n') : undefined,
    call: (name, args, call) => (owners.get(name) ?? hosts[0] ?? noHost(name)).call(name, args, call),
    log: () => hosts.flatMap((host) => host.log()),
    drain: async (limitMs) => void (await Promise.all(hosts.map((host) => host.drain(limitMs)))),
    stop: async () => void (await Promise.all(hosts.map((host) => host.stop()))),
  };
}

function noHost(name: string): never {
  throw new Error(`There is nothing that runs "${name}".`);
}
