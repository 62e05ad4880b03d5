import { fixtureTools } from './tools.ts';

/** What the fixture answers, for both of its transports: the least work that is still MCP of the 2025 era. */

export interface IncomingMessage {
  readonly id?: number | string;
  readonly method?: string;
  readonly params?: {
    readonly protocolVersion?: string;
    readonly name?: string;
    readonly arguments?: { readonly value?: unknown };
  };
}

const versions = ['2025-11-25', '2025-06-18', '2025-03-26'];

/** Makes the function that answers one request with the text of one JSON-RPC message. */
export function createAnswer(toolCount: number): (message: IncomingMessage) => string {
  const toolList = JSON.stringify({ tools: fixtureTools(toolCount) });
  return (message) => {
    const id = JSON.stringify(message.id);
    switch (message.method) {
      case 'tools/call': {
        if (message.params?.name !== 'echo') return failure(id, -32602, `Unknown tool: ${message.params?.name}`);
        const text = JSON.stringify(String(message.params.arguments?.value));
        return success(id, `{"content":[{"type":"text","text":${text}}]}`);
      }
      case 'tools/list':
        return success(id, toolList);
      case 'initialize':
        return success(id, JSON.stringify(greeting(message.params?.protocolVersion)));
      case 'ping':
        return success(id, '{}');
      default:
        return failure(id, -32601, `Method not found: ${message.method}`);
    }
  };
}

function greeting(wanted = '') {
  return {
    protocolVersion: versions.includes(wanted) ? wanted : versions[0],
    capabilities: { tools: { listChanged: true } },
    serverInfo: { name: 'bench-upstream', version: '1.0.0' },
  };
}

function success(id: string, result: string): string {
  return `{"jsonrpc":"2.0","id":${id},"result":${result}}`;
}

function failure(id: string, code: number, message: string): string {
  return `{"jsonrpc":"2.0","id":${id},"error":${JSON.stringify({ code, message })}}`;
}
