import type { RegisteredTool, Selection, Tool } from '../tools/index.ts';
import { type Page, Pages } from './pages.ts';

/** The tools of a hub as its clients see them: filtered by the selection, under their unique names. Immutable. */
export class ToolList {
  readonly visible: ReadonlyMap<string, RegisteredTool>;
  /** Whether a tool promises an output that is not an object, which the 2025 protocols cannot express. */
  readonly hasNonObjectOutput: boolean;
  readonly #pages: Pages<Tool>;

  constructor(all: ReadonlyMap<string, RegisteredTool>, selection: Selection, pageSize: number) {
    const visible = [...all.values()].filter(selection);
    this.visible = new Map(visible.map((tool) => [tool.name, tool]));
    const tools = visible.map((registered) => ({ ...registered.tool, name: registered.name }));
    this.hasNonObjectOutput = tools.some(
      ({ outputSchema }) => outputSchema !== undefined && outputSchema.type !== 'object',
    );
    this.#pages = new Pages('tools', tools, ({ name }) => name, pageSize);
  }

  /** Equal for lists that look the same to a client. */
  get fingerprint(): string {
    return this.#pages.fingerprint;
  }

  /** The page that begins after the cursor. Throws `invalid_input` for a cursor that this hub has not made. */
  page(cursor?: unknown): Page<Tool> {
    return this.#pages.page(cursor);
  }
}
