import type {
  McpObject,
  McpPeer,
  PeerListKind,
  PeerNotification,
  SourceCall,
  Tool,
  ToolArguments,
  ToolResult,
  ToolSource,
} from '../src/tools/index.ts';

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

/** What a server offers beside tools, for tests: it keeps what it was asked, and answers as `answer` says. */
export interface TestPeer extends McpPeer {
  readonly asked: { method: string; params: McpObject }[];
  readonly subscribed: string[];
  answer: (method: string, params: McpObject) => McpObject;
  tell(notification: PeerNotification): void;
}

export function testPeer(options: {
  capabilities: McpObject;
  lists?: Partial<Record<PeerListKind, McpObject[]>>;
}): TestPeer {
  const listeners = new Set<(notification: PeerNotification) => void>();
  const peer: TestPeer = {
    asked: [],
    subscribed: [],
    answer: () => ({}),
    revision: 1,
    capabilities: options.capabilities,
    instructions: undefined,
    list: (kind) => options.lists?.[kind] ?? [],
    request: async (method, params) => {
      peer.asked.push({ method, params });
      return peer.answer(method, params);
    },
    subscribe: async (uri) => {
      peer.subscribed.push(uri);
      return () => peer.subscribed.splice(peer.subscribed.indexOf(uri), 1);
    },
    setLogLevel: () => undefined,
    rootsChanged: () => undefined,
    onNotification: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    addClients: () => () => undefined,
    tell: (notification) => {
      for (const listener of listeners) listener(notification);
    },
  };
  return peer;
}
