import type { RegisteredTool, Selection, Tool } from '../tools/index.ts';
import { type Page, Pages } from './pages.ts';
import { type ToolOverrides, type ToolView, viewOf } from './tool-view.ts';

/** The tools of a hub as its clients see them: filtered by the selection, under the names of the hub. Immutable. */
export class ToolList {
  /** By the name that clients use. */
  readonly visible: ReadonlyMap<string, RegisteredTool>;
  /** Whether a tool promises an output that is not an object, which the 2025 protocols cannot express. */
  readonly hasNonObjectOutput: boolean;
  /** Overrides that could not be kept to, for a person. */
  readonly warnings: readonly string[];
  readonly #views: ReadonlyMap<string, ToolView>;
  /** Names that the hub has given up for others. */
  readonly #given: ReadonlySet<string>;
  readonly #pages: Pages<Tool>;

  constructor(
    all: ReadonlyMap<string, RegisteredTool>,
    selection: Selection,
    pageSize: number,
    overrides: ToolOverrides = { of: () => undefined },
  ) {
    const warnings: string[] = [];
    this.#views = viewsOf([...all.values()].filter(selection), overrides, warnings);
    this.warnings = warnings;
    this.visible = new Map([...this.#views].map(([name, { registered }]) => [name, registered]));
    this.#given = new Set(
      [...this.#views.values()].flatMap(({ registered, tool }) =>
        tool.name === registered.name ? [] : [registered.name, registered.qualifiedName],
      ),
    );
    const tools = [...this.#views.values()].map(({ tool }) => tool);
    this.hasNonObjectOutput = tools.some(
      ({ outputSchema }) => outputSchema !== undefined && outputSchema.type !== 'object',
    );
    this.#pages = new Pages('tools', tools, ({ name }) => name, pageSize);
  }

  /** All tools as they are shown. */
  get tools(): Tool[] {
    return [...this.#views.values()].map(({ tool }) => tool);
  }

  /** What clients call by this name; undefined for what goes by its name in the registry, if it is there at all. */
  view(name: string): ToolView | undefined {
    return this.#views.get(name);
  }

  /** Whether a name of the registry is none in this hub, because the tool is shown under another. */
  isGivenUp(name: string): boolean {
    return this.#given.size > 0 && this.#given.has(name) && !this.#views.has(name);
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

/** A name that two tools would have goes to the one whose own it is; the override of the other does not count. */
function viewsOf(
  selected: readonly RegisteredTool[],
  overrides: ToolOverrides,
  warnings: string[],
): Map<string, ToolView> {
  const wanted = selected.map((registered) => viewOf(registered, overrides));
  const own = new Set(selected.map(({ name }) => name));
  const views = new Map<string, ToolView>();
  for (const view of wanted) {
    const { registered, tool } = view;
    const isTaken = tool.name !== registered.name && (own.has(tool.name) || views.has(tool.name));
    if (isTaken) {
      warnings.push(`"${registered.name}" cannot be shown as "${tool.name}": another tool has that name.`);
      views.set(registered.name, { ...view, tool: { ...tool, name: registered.name } });
    } else views.set(tool.name, view);
  }
  return views;
}
