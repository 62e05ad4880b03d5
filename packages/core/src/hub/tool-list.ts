import { LunaError } from '../errors/index.ts';
import type { RegisteredTool, Selection, Tool } from '../tools/index.ts';

/** A page of tools, ready to be sent. */
export interface ToolPage {
  readonly tools: readonly Tool[];
  readonly nextCursor?: string;
  /** The same as JSON text: the inner part of a `tools/list` result, without braces. */
  readonly json: string;
}

/**
 * The tools of a hub as its clients see them: filtered by the selection, under their unique names, cut into pages and
 * made JSON once, not once per request. Immutable; another state makes another list.
 */
export class ToolList {
  readonly visible: ReadonlyMap<string, RegisteredTool>;
  readonly #tools: readonly Tool[];
  readonly #pageSize: number;
  readonly #pages = new Map<number, ToolPage>();
  #fingerprint: string | undefined;

  constructor(all: ReadonlyMap<string, RegisteredTool>, selection: Selection, pageSize: number) {
    const visible = [...all.values()].filter(selection);
    this.visible = new Map(visible.map((tool) => [tool.name, tool]));
    this.#tools = visible.map((registered) => ({ ...registered.tool, name: registered.name }));
    this.#pageSize = pageSize;
  }

  /** Whether a tool promises an output that is not an object, which the 2025 protocols cannot express. */
  get hasNonObjectOutput(): boolean {
    return this.#tools.some(({ outputSchema }) => outputSchema !== undefined && outputSchema.type !== 'object');
  }

  /** Equal for lists that look the same to a client. */
  get fingerprint(): string {
    this.#fingerprint ??= JSON.stringify(this.#tools);
    return this.#fingerprint;
  }

  /**
   * The page that begins after the cursor. The cursor names the last tool of the page before, so a list that changed
   * meanwhile goes on at the right place. Throws `invalid_input` for a cursor that this hub has not made.
   */
  page(cursor?: unknown): ToolPage {
    const start = cursor === undefined ? 0 : this.#startAfter(cursor);
    const cached = this.#pages.get(start);
    if (cached) return cached;
    const tools = this.#tools.slice(start, start + this.#pageSize);
    const last = tools.at(-1);
    const nextCursor =
      last && start + tools.length < this.#tools.length ? encodeCursor(start + tools.length, last.name) : undefined;
    const json = `"tools":${JSON.stringify(tools)}${nextCursor === undefined ? '' : `,"nextCursor":${JSON.stringify(nextCursor)}`}`;
    const page: ToolPage = { tools, json, ...(nextCursor !== undefined && { nextCursor }) };
    // Clients begin anywhere when the list has changed meanwhile, or as they like: such pages are made each time.
    if (start % this.#pageSize === 0) this.#pages.set(start, page);
    return page;
  }

  #startAfter(cursor: unknown): number {
    const decoded = typeof cursor === 'string' ? decodeCursor(cursor) : undefined;
    if (!decoded)
      throw new LunaError('invalid_input', 'This cursor was not made by this hub. List again from the beginning.');
    const index = this.#tools.findIndex((tool) => tool.name === decoded.name);
    return index >= 0 ? index + 1 : Math.min(decoded.offset, this.#tools.length);
  }
}

function encodeCursor(offset: number, name: string): string {
  return Buffer.from(JSON.stringify([offset, name])).toString('base64url');
}

function decodeCursor(cursor: string): { offset: number; name: string } | undefined {
  try {
    const decoded: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (!Array.isArray(decoded)) return undefined;
    const [offset, name] = decoded;
    return Number.isInteger(offset) && offset >= 0 && typeof name === 'string' ? { offset, name } : undefined;
  } catch {
    return undefined;
  }
}
