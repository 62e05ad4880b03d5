import type { SourceCall, Tool, ToolArguments, ToolResult, ToolSource } from '../src/tools/index.ts';

/** A source for tests: its tools are set, its calls answer with what they were given, or as `answer` says. */
export interface TestSource extends ToolSource {
  setTools(tools: readonly Tool[]): void;
  /** Tells of a change that is none of the list. */
  changed(): void;
}

export function tool(name: string, more: Partial<Tool> = {}): Tool {
  return { name, inputSchema: { type: 'object' }, ...more };
}

type Answer = (name: string, args: ToolArguments, call: SourceCall) => Promise<ToolResult>;

const echo: Answer = async (name, args) => ({
  content: [{ type: 'text', text: name }],
  structuredContent: { name, args },
});

export function testSource(id: string, tools: readonly Tool[], answer: Answer = echo): TestSource {
  const listeners = new Set<() => void>();
  let listed = tools;
  const changed = () => {
    for (const listener of listeners) listener();
  };
  return {
    id,
    kind: 'test',
    list: () => listed,
    call: answer,
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    health: () => ({ status: 'ready' }),
    start: async () => undefined,
    close: async () => undefined,
    setTools(tools) {
      listed = tools;
      changed();
    },
    changed,
  };
}
