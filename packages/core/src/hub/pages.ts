import { LunaError } from '../errors/index.ts';

/** A page of a list, ready to be sent. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextCursor?: string;
  /** The same as JSON text: the inner part of a list's result, without braces. */
  readonly json: string;
}

/**
 * A list as clients see it, cut into pages that are made JSON once, not once per request. Immutable; another state
 * makes another list.
 */
export class Pages<Item> {
  readonly items: readonly Item[];
  readonly #field: string;
  readonly #keyOf: (item: Item) => string;
  readonly #size: number;
  readonly #made = new Map<number, Page<Item>>();
  #fingerprint: string | undefined;

  /** `field`: what the list is called in its result. `keyOf`: what identifies an entry. */
  constructor(field: string, items: readonly Item[], keyOf: (item: Item) => string, size: number) {
    this.#field = field;
    this.items = items;
    this.#keyOf = keyOf;
    this.#size = size;
  }

  /** Equal for lists that look the same to a client. */
  get fingerprint(): string {
    this.#fingerprint ??= JSON.stringify(this.items);
    return this.#fingerprint;
  }

  /**
   * The page that begins after the cursor. The cursor names the last entry of the page before, so a list that changed
   * meanwhile goes on at the right place. Throws `invalid_input` for a cursor that this hub has not made.
   */
  page(cursor?: unknown): Page<Item> {
    const start = cursor === undefined ? 0 : this.#startAfter(cursor);
    const made = this.#made.get(start);
    if (made) return made;
    const items = this.items.slice(start, start + this.#size);
    const last = items.at(-1);
    const end = start + items.length;
    const nextCursor = last !== undefined && end < this.items.length ? encodeCursor(end, this.#keyOf(last)) : undefined;
    const next = nextCursor === undefined ? '' : `,"nextCursor":${JSON.stringify(nextCursor)}`;
    const json = `${JSON.stringify(this.#field)}:${JSON.stringify(items)}${next}`;
    const page = { items, json, ...(nextCursor !== undefined && { nextCursor }) };
    // Clients begin anywhere when the list has changed meanwhile, or as they like: such pages are made each time.
    if (start % this.#size === 0) this.#made.set(start, page);
    return page;
  }

  #startAfter(cursor: unknown): number {
    const decoded = typeof cursor === 'string' ? decodeCursor(cursor) : undefined;
    if (!decoded)
      throw new LunaError('invalid_input', 'This cursor was not made by this hub. List again from the beginning.');
    const index = this.items.findIndex((item) => this.#keyOf(item) === decoded.key);
    return index >= 0 ? index + 1 : Math.min(decoded.offset, this.items.length);
  }
}

function encodeCursor(offset: number, key: string): string {
  return Buffer.from(JSON.stringify([offset, key])).toString('base64url');
}

function decodeCursor(cursor: string): { offset: number; key: string } | undefined {
  try {
    const decoded: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (!Array.isArray(decoded)) return undefined;
    const [offset, key] = decoded;
    return Number.isInteger(offset) && offset >= 0 && typeof key === 'string' ? { offset, key } : undefined;
  } catch {
    return undefined;
  }
}
