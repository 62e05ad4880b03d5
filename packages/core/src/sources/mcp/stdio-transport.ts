import { setTimeout as sleep } from 'node:timers/promises';
import type { JSONRPCMessage, MessageExtraInfo, Transport } from '@modelcontextprotocol/client';
import { LunaError, messageOf } from '../../errors/index.ts';
import { type Child, type ChildOptions, describeExit, LineTail, startChild } from '../../supervisor/index.ts';

export interface StdioTransportOptions extends ChildOptions {
  /** The longest line that the server may send, in bytes. A longer one ends the connection. Default 128 MiB. */
  readonly maxLineBytes?: number;
  readonly onLog?: (line: string) => void;
}

/**
 * How long a server may take to end after its input was closed, and then after SIGTERM, before it is killed, in
 * milliseconds. Together less than Luna itself takes at most to stop.
 */
const closeGraceMs = 1_000;
const termGraceMs = 6_000;
/** How long the output of a server that has ended is waited for, in milliseconds. */
const lastWordsMs = 100;
const newline = 0x0a;

/**
 * An MCP server as a child process, one JSON-RPC message a line (MCP, stdio transport). The child has a process group
 * of its own, and closing ends the whole group.
 */
export class StdioTransport implements Transport {
  onclose: Transport['onclose'];
  onerror: Transport['onerror'];
  onmessage: Transport['onmessage'];
  readonly #options: StdioTransportOptions;
  #child: Child | undefined;
  #starting: Promise<Child> | undefined;
  #tail = new LineTail();
  #exit: string | undefined;
  #endedByItself = false;
  #partial: Buffer[] = [];
  #partialBytes = 0;
  #outgoing = '';
  #flushing: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #told = false;

  constructor(options: StdioTransportOptions) {
    this.#options = options;
  }

  /** The two accessors by which the SDK recognises a transport over standard streams. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get stderr(): null {
    return null;
  }

  /** The last lines of the server's standard error, oldest first. */
  log(): string[] {
    return this.#tail.lines();
  }

  /** How the process ended, once it has. */
  get exit(): string | undefined {
    return this.#exit;
  }

  /** Whether it ended, or had to be ended, before anybody closed it. Only then {@link exit} says what went wrong. */
  get endedByItself(): boolean {
    return this.#endedByItself;
  }

  async start(): Promise<void> {
    if (this.#closing) throw closedEarly();
    this.#starting = startChild(this.#options);
    const child = await this.#starting;
    this.#child = child;
    // Whoever closed meanwhile ends the process.
    if (this.#closing) throw closedEarly();
    this.#tail = new LineTail(child.stderr, { onLine: this.#options.onLog });
    child.stdout.on('data', (chunk: Buffer) => this.#read(chunk));
    child.stdin.on('error', (error) => this.onerror?.(error));
    void child.exited.then(async (exit) => {
      this.#endedByItself ||= !this.#closing;
      this.#exit ??= describeExit(exit);
      await lastWords(child);
      this.#tellClosed();
      // What the server left behind in its group must not outlive it.
      void this.close();
    });
  }

  async send(message: JSONRPCMessage): Promise<void> {
    const child = this.#child;
    if (!child || this.#exit !== undefined) {
      throw new LunaError('source_unavailable', `The server ${this.#exit ?? 'has not been started'}.`);
    }
    this.#outgoing += `${JSON.stringify(message)}\n`;
    this.#flushing ??= this.#flush(child);
    await this.#flushing;
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  /** What is sent at one time is one write: the pipe, not the text, is what costs. */
  async #flush(child: Child): Promise<void> {
    await new Promise((next) => setImmediate(next));
    this.#flushing = undefined;
    const text = this.#takeOutgoing();
    if (text !== '' && !child.stdin.write(text)) await drained(child);
  }

  #takeOutgoing(): string {
    const text = this.#outgoing;
    this.#outgoing = '';
    return text;
  }

  async #end(): Promise<void> {
    // A process may be on its way.
    const child = await this.#starting?.catch(() => undefined);
    if (child) {
      child.stdin.end(this.#takeOutgoing());
      const endedByItself = await Promise.race([
        child.exited.then(() => true),
        new Promise<false>((settle) => setTimeout(settle, closeGraceMs, false).unref()),
      ]);
      await child.stop(endedByItself ? 500 : termGraceMs);
    }
    this.#exit ??= 'was closed';
    this.#tellClosed();
  }

  #tellClosed(): void {
    if (this.#told) return;
    this.#told = true;
    this.onclose?.();
  }

  /** Whole lines are parsed at once; the rest waits without being copied again for each chunk. */
  #read(chunk: Buffer): void {
    let begin = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, begin)) {
      this.#partial.push(chunk.subarray(begin, end));
      const line = (this.#partial.length === 1 ? chunk.subarray(begin, end) : Buffer.concat(this.#partial)).toString(
        'utf8',
      );
      this.#partial = [];
      this.#partialBytes = 0;
      begin = end + 1;
      this.#parse(line);
    }
    if (begin < chunk.length) {
      this.#partial.push(chunk.subarray(begin));
      this.#partialBytes += chunk.length - begin;
    }
    const limit = this.#options.maxLineBytes ?? 128 * 1024 * 1024;
    if (this.#partialBytes > limit) {
      this.#partial = [];
      this.#endedByItself = true;
      this.#exit = `sent a line of more than ${limit} bytes and was stopped`;
      void this.#child?.stop(0);
    }
  }

  #parse(line: string): void {
    if (line.trim() === '') return;
    let message: unknown;
    try {
      message = JSON.parse(line);
    } catch (thrown) {
      // Some servers print to standard output; what is not JSON is not for us.
      this.onerror?.(new Error(`Not JSON on standard output: ${line.slice(0, 200)} (${messageOf(thrown)})`));
      return;
    }
    // Servers of 2025-03-26 may put several messages into one.
    for (const one of Array.isArray(message) ? message : [message]) this.#hand(one, line.length);
  }

  #hand(message: unknown, textLength: number): void {
    if (typeof message !== 'object' || message === null) return;
    try {
      const extra: MessageExtraInfo & TextExtra = { textLength };
      this.onmessage?.(message as JSONRPCMessage, extra);
    } catch (thrown) {
      // Whatever a server says, it does not end Luna.
      this.onerror?.(new Error(`A message of the server could not be taken: ${messageOf(thrown)}`, { cause: thrown }));
    }
  }
}

/** Goes with each message of a transport that has it: how many characters of JSON the message was parsed from. */
interface TextExtra {
  readonly textLength: number;
}

/** See {@link TextExtra}; undefined for the messages of other transports. */
export function textLengthIn(extra: object | undefined): number | undefined {
  return extra && 'textLength' in extra && typeof extra.textLength === 'number' ? extra.textLength : undefined;
}

function closedEarly(): LunaError {
  return new LunaError('source_unavailable', 'The server was closed before it had started.');
}

/** What a process wrote last may still be on its way; what it had started can hold its output open for ever. */
async function lastWords({ stdout }: Child): Promise<void> {
  if (stdout.closed) return;
  const closed = new Promise((settle) => stdout.once('close', settle));
  await Promise.race([closed, sleep(lastWordsMs, undefined, { ref: false })]);
}

function drained(child: Child): Promise<void> {
  return new Promise((settle) => {
    child.stdin.once('drain', settle);
    void child.exited.then(() => settle());
  });
}
