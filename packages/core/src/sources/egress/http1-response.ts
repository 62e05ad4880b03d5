import type { IncomingHttpHeaders } from 'node:http';

/** What an answer consists of, as it comes. */
export interface ResponseSink {
  head(status: number, headers: IncomingHttpHeaders): void;
  data(bytes: Buffer): void;
  /**
   * The answer is complete. `keepMs`: how long the connection may stay open for another, in milliseconds; 0 is not at
   * all, undefined as long as one likes.
   */
  end(keepMs: number | undefined): void;
}

const maxHeadBytes = 64 * 1024;
const firstLook = 2_048;
const longestKeepMs = 600_000;
/** How much sooner than the server a connection is given up. */
const marginMs = 1_000;

const cr = 0x0d;
const lf = 0x0a;

/** The value of a hexadecimal digit; -1 for any other character. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const small = code | 0x20;
  return small >= 0x61 && small <= 0x66 ? small - 0x57 : -1;
}

type State = 'head' | 'fixed' | 'until close' | 'size' | 'chunk' | 'chunk end' | 'trailers' | 'done';

/**
 * Reads one answer of HTTP/1.1 from what a connection brings (RFC 9112). Strict: what can be read in two ways throws,
 * and the connection is not to be used again.
 */
export class ResponseReader {
  readonly #sink: ResponseSink;
  readonly #heads: KnownHeads;
  #state: State = 'head';
  /** What has come of a line or a head that is not complete. */
  #begun: Buffer | undefined;
  /** Bytes of the body, or of a chunk, that are still to come. */
  #missing = 0;
  #keepMs: number | undefined = 0;

  constructor(sink: ResponseSink, heads: KnownHeads) {
    this.#sink = sink;
    this.#heads = heads;
  }

  get isDone(): boolean {
    return this.#state === 'done';
  }

  /** Whether anything of the answer has come. */
  get hasBegun(): boolean {
    return this.#state !== 'head' || this.#begun !== undefined;
  }

  /** Takes what has come; answers how many bytes of it were the answer's. Throws for what is not HTTP/1.1. */
  feed(bytes: Buffer): number {
    let at = 0;
    while (at < bytes.length && this.#state !== 'done') {
      if (this.#state === 'chunk end' || this.#state === 'size') {
        const after = this.#plainSize(bytes, at);
        if (after >= 0) {
          at = after;
          continue;
        }
      }
      if (this.#state === 'fixed' || this.#state === 'chunk' || this.#state === 'until close') {
        at += this.#body(at === 0 ? bytes : bytes.subarray(at));
      } else at += this.#text(at === 0 ? bytes : bytes.subarray(at), this.#state === 'head' ? '\r\n\r\n' : '\r\n');
    }
    return at;
  }

  /** The connection was closed by the server. False when the answer is not complete. */
  closed(): boolean {
    if (this.#state === 'until close') this.#end(0);
    return this.#state === 'done';
  }

  #body(bytes: Buffer): number {
    if (this.#state === 'until close') {
      this.#sink.data(bytes);
      return bytes.length;
    }
    const length = Math.min(this.#missing, bytes.length);
    this.#missing -= length;
    this.#sink.data(length === bytes.length ? bytes : bytes.subarray(0, length));
    if (this.#missing === 0) {
      if (this.#state === 'chunk') this.#state = 'chunk end';
      else this.#end(this.#keepMs);
    }
    return length;
  }

  /** Reads up to the mark, over as many pieces as it takes. */
  #text(bytes: Buffer, mark: string): number {
    const before = this.#begun?.length ?? 0;
    const all = this.#begun ? Buffer.concat([this.#begun, bytes]) : bytes;
    // As text, because bytes are searched much more slowly; the first piece nearly always holds all of it.
    const text = all.toString('latin1', 0, firstLook);
    const near = text.indexOf(mark);
    const end = near >= 0 || all.length <= firstLook ? near : all.indexOf(mark);
    if (Math.max(end, end < 0 ? all.length : 0) > maxHeadBytes) throw new Error('The head of the answer is too long.');
    if (end < 0) {
      this.#begun = all;
      return bytes.length;
    }
    this.#begun = undefined;
    this.#take(near >= 0 ? text.slice(0, end) : all.toString('latin1', 0, end));
    return end + mark.length - before;
  }

  #take(text: string): void {
    switch (this.#state) {
      case 'head':
        return this.#head(text);
      case 'size':
        return this.#size(text);
      case 'chunk end':
        if (text !== '') throw new Error('A chunk of the answer is longer than it says.');
        this.#state = 'size';
        return;
      default:
        // Trailers end with an empty line, and say nothing that is wanted here.
        if (text === '') this.#end(this.#keepMs);
    }
  }

  #head(text: string): void {
    const head = this.#heads.get(text) ?? this.#heads.put(text, parseHead(text));
    // What is only a sign of life is followed by the answer.
    if (head.status < 200) return;
    const { status, headers, length } = head;
    this.#keepMs = head.keepMs;
    this.#state = 'fixed';
    this.#missing = 0;
    if (status === 204 || status === 304) this.#missing = 0;
    else if (length === 'chunked') this.#state = 'size';
    else if (length === undefined) this.#state = 'until close';
    else this.#missing = length;
    this.#sink.head(status, headers);
    if (this.#state === 'fixed' && this.#missing === 0) this.#end(this.#keepMs);
  }

  /**
   * The line between two chunks, byte by byte: in a stream there is one for each small chunk. Answers where it ends; -1
   * when there is more to it than a number, or not all of it has come.
   */
  #plainSize(bytes: Buffer, from: number): number {
    if (this.#begun) return -1;
    let at = from;
    if (this.#state === 'chunk end') {
      if (bytes[at] !== cr || bytes[at + 1] !== lf) return -1;
      at += 2;
    }
    const begin = at;
    let size = 0;
    for (; at < bytes.length && at - begin <= 12; at++) {
      const digit = hexDigit(bytes[at] ?? 0);
      if (digit < 0) break;
      size = size * 16 + digit;
    }
    if (at === begin || bytes[at] !== cr || bytes[at + 1] !== lf) return -1;
    this.#missing = size;
    this.#state = size === 0 ? 'trailers' : 'chunk';
    return at + 2;
  }

  #size(text: string): void {
    const [, digits] = /^([0-9a-f]{1,12})[ \t]*(?:;|$)/i.exec(text) ?? [];
    if (digits === undefined) throw new Error('The size of a chunk of the answer is not a number.');
    this.#missing = Number.parseInt(digits, 16);
    this.#state = this.#missing === 0 ? 'trailers' : 'chunk';
  }

  #end(keepMs: number | undefined): void {
    this.#state = 'done';
    this.#sink.end(keepMs);
  }
}

/** What the head of an answer says. */
interface Head {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly length: number | 'chunked' | undefined;
  /** For how long the server keeps the connection, where it says so. */
  readonly keepMs: number | undefined;
}

const mostHeads = 64;
const longestKnownHead = 1_024;

/** The heads that came lately: within a second a server sends the very same ones over and over. */
export class KnownHeads {
  readonly #heads = new Map<string, Head>();

  get(text: string): Head | undefined {
    return this.#heads.get(text);
  }

  put(text: string, head: Head): Head {
    if (text.length > longestKnownHead) return head;
    if (this.#heads.size >= mostHeads) this.#heads.clear();
    this.#heads.set(text, head);
    return head;
  }
}

function parseHead(text: string): Head {
  const lineEnd = text.indexOf('\r\n');
  const line = lineEnd < 0 ? text : text.slice(0, lineEnd);
  const [, minor, code] = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: |$)/.exec(line) ?? [];
  if (code === undefined) throw new Error('The answer is not HTTP/1.1.');
  const status = Number(code);
  if (status === 101) throw new Error('The server changes the protocol unasked.');
  // Shared by all answers with this head.
  const headers = Object.freeze(headersOf(text, lineEnd < 0 ? text.length : lineEnd + 2));
  return { status, headers, length: status < 200 ? 0 : lengthOf(headers), keepMs: keepMsOf(headers, minor === '1') };
}

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** By name in small letters; a header that comes several times is a list, as undici has it. */
function headersOf(text: string, from: number): IncomingHttpHeaders {
  const headers: Record<string, string | string[]> = {};
  for (let at = from; at < text.length; ) {
    const found = text.indexOf('\r\n', at);
    const end = found < 0 ? text.length : found;
    const colon = text.indexOf(':', at);
    const name = colon < 0 || colon > end ? '' : text.slice(at, colon).toLowerCase();
    if (!token.test(name)) throw new Error('A header of the answer cannot be read.');
    const value = text.slice(colon + 1, end).trim();
    if (/[\r\n\0]/.test(value)) throw new Error('A header of the answer cannot be read.');
    const former = Object.hasOwn(headers, name) ? headers[name] : undefined;
    // Nothing that is wanted has such a name, and objects have other uses for it.
    if (name !== '__proto__')
      headers[name] =
        former === undefined ? value : Array.isArray(former) ? [...former, value] : [former as string, value];
    at = end + 2;
  }
  return headers;
}

function lengthOf(headers: IncomingHttpHeaders): number | 'chunked' | undefined {
  const coding: unknown = headers['transfer-encoding'];
  const given: unknown = headers['content-length'];
  if (coding !== undefined) {
    if (given !== undefined || typeof coding !== 'string' || coding.toLowerCase() !== 'chunked')
      throw new Error('The length of the answer can be read in two ways.');
    return 'chunked';
  }
  if (given === undefined) return undefined;
  const all = Array.isArray(given) ? given : [given];
  const length = Number(all[0]);
  if (all.some((one) => one !== all[0]) || !/^\d{1,15}$/.test(String(all[0])))
    throw new Error('The length of the answer is not a number.');
  return length;
}

function keepMsOf(headers: IncomingHttpHeaders, isLasting: boolean): number | undefined {
  const { connection } = headers;
  const wish = connection === undefined ? '' : String(connection).toLowerCase();
  if (wish.includes('close') || (!isLasting && !wish.includes('keep-alive'))) return 0;
  const hint = headers['keep-alive'];
  const seconds = hint === undefined ? undefined : /timeout=(\d+)/i.exec(String(hint))?.[1];
  if (seconds === undefined) return undefined;
  return Math.min(Math.max(0, Number(seconds) * 1000 - marginMs), longestKeepMs);
}
