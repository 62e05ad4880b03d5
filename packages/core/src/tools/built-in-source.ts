import type { SourceCall } from './call.ts';
import type { ToolResult } from './result.ts';
import type { SourceHealth, ToolSource } from './source.ts';
import type { Tool, ToolArguments } from './tool.ts';

/** Tools that Luna itself brings: always ready, with nothing to start and nothing to end. */
export abstract class BuiltInSource implements ToolSource {
  abstract readonly id: string;
  readonly kind = 'builtin';
  readonly title = 'Luna';

  abstract list(): readonly Tool[];

  abstract call(name: string, args: ToolArguments, call: SourceCall): Promise<ToolResult>;

  onChange(): () => void {
    return () => undefined;
  }

  health(): SourceHealth {
    return { status: 'ready' };
  }

  async start(): Promise<void> {
    // It has nothing to start.
  }

  async close(): Promise<void> {
    // And nothing to end.
  }
}
