import { errors } from 'undici';

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** What RFC 9110 lets a value hold: no line ends, nothing that is not one byte. */
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/;
/** These are between two ends of a connection, and the pool's own. */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'content-length',
  'transfer-encoding',
  'upgrade',
  'expect',
  'te',
]);

/** Nobody sends so many headers of different names; it keeps the memory bounded where somebody does. */
const mostNames = 64;

/** Writes the heads of requests. Nearly all headers of one are those of the request before, and are checked once. */
export class RequestHeads {
  readonly #first: string;
  readonly #lines = new Map<string, { readonly value: unknown; readonly line: string }>();

  /** `host`: of the server, where no header says otherwise. */
  constructor(host: string) {
    this.#first = `host: ${host}\r\n`;
  }

  /**
   * The lines of a request's head below its first. Throws `InvalidArgumentError` for a header that would change where
   * the request ends or what it asks for.
   */
  of(headers: Readonly<Record<string, unknown>> = {}): string {
    let lines = 'connection: keep-alive\r\n';
    let first = this.#first;
    for (const name of Object.keys(headers)) {
      const value = headers[name];
      if (value === undefined || value === null) continue;
      const known = this.#lines.get(name);
      const line = known?.value === value ? known.line : this.#line(name, value, known !== undefined);
      if (name.length === 4 && name.toLowerCase() === 'host') first = line;
      else lines += line;
    }
    return first + lines;
  }

  #line(name: string, value: unknown, isKnown: boolean): string {
    const text = String(value);
    if (!isKnown) assertSettable(name);
    if (!fieldValue.test(text))
      throw new errors.InvalidArgumentError(`The value of the header "${name}" is not valid.`);
    const line = `${name}: ${text}\r\n`;
    if (this.#lines.size >= mostNames) this.#lines.clear();
    this.#lines.set(name, { value, line });
    return line;
  }
}

function assertSettable(name: string): void {
  if (!token.test(name)) throw new errors.InvalidArgumentError(`"${name}" is no name of a header.`);
  if (hopByHop.has(name.toLowerCase())) throw new errors.InvalidArgumentError(`The header "${name}" cannot be set.`);
}
