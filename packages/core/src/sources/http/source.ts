import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Dispatcher } from 'undici';
import { resolveReferences } from '../../config/index.ts';
import { LunaError, messageOf } from '../../errors/index.ts';
import {
  argumentCheck,
  lintTool,
  PatternJudge,
  type SourceCall,
  type SourceHealth,
  type Tool,
  type ToolArguments,
  type ToolResult,
} from '../../tools/index.ts';
import { type EgressPolicy, guardedDispatcher } from '../egress/index.ts';
import type { ReloadableSource } from '../kind.ts';
import { resultOf } from './answer-result.ts';
import { type HttpFile, schemaFor } from './definition.ts';
import { exchange } from './exchange.ts';
import { declaredTools } from './forwarder.ts';
import type { HttpTool, PlannedRequest } from './http-tool.ts';
import { openApiTools } from './openapi/tools.ts';

export interface HttpSourceOptions {
  readonly id: string;
  readonly file: string;
  /** What it may reach inside the network, beside what its file allows. */
  readonly egress: () => EgressPolicy;
  /** The values of secrets; a file gets those that it names. */
  readonly secrets: () => Promise<Readonly<Record<string, string>>>;
  readonly onLog?: (line: string) => void;
}

interface Callable extends HttpTool {
  readonly check: (args: ToolArguments) => ToolArguments;
}

const maxCached = 500;

/** The tools of one file under `http/`: requests that it declares, or the operations of an OpenAPI document. */
export class HttpSource implements ReloadableSource {
  readonly id: string;
  readonly kind = 'http';
  readonly #options: HttpSourceOptions;
  readonly #listeners = new Set<() => void>();
  readonly #patterns = new PatternJudge();
  readonly #cache = new Map<string, { readonly result: ToolResult; readonly expires: number }>();
  #allowsInside = false;
  readonly #dispatcher: Dispatcher;
  #callable = new Map<string, Callable>();
  #tools: readonly Tool[] = [];
  #title: string | undefined;
  #health: SourceHealth = { status: 'stopped' };

  constructor(options: HttpSourceOptions) {
    this.#options = options;
    this.id = options.id;
    this.#dispatcher = guardedDispatcher(
      () => ({ ...options.egress(), allowPrivateNetwork: this.#allowsInside || options.egress().allowPrivateNetwork }),
      { keepAliveTimeout: 30_000, connections: 128 },
    );
  }

  get title(): string | undefined {
    return this.#title;
  }

  list(): readonly Tool[] {
    return this.#tools;
  }

  health(): SourceHealth {
    return this.#health;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async start(): Promise<void> {
    this.#set({ status: 'starting' });
    await this.reload();
  }

  async reload(): Promise<void> {
    try {
      const file = await this.#read();
      // The document itself may lie inside too.
      this.#allowsInside = file.allow_private_network;
      const found =
        'tools' in file ? declaredTools(file) : await openApiTools(file, this.#options.file, this.#dispatcher);
      this.#take(found);
      this.#title = file.title;
      this.#cache.clear();
      this.#set({ status: 'ready' });
    } catch (thrown) {
      // Libraries that read documents call themselves for each level.
      const reason = thrown instanceof RangeError ? `${this.#options.file} is nested too deep.` : messageOf(thrown);
      this.#options.onLog?.(reason);
      const served = this.#tools.length > 0;
      this.#set(
        served
          ? { status: 'degraded', reason: `${reason} The last good version is served.` }
          : { status: 'down', reason },
      );
    }
  }

  async call(name: string, args: ToolArguments, call: SourceCall): Promise<ToolResult> {
    const tool = this.#callable.get(name);
    if (!tool) {
      const reason = this.#health.reason ?? `"${this.id}" has no tool "${name}".`;
      throw new LunaError('source_unavailable', reason, { details: { outcome: 'failed' } });
    }
    const values = await this.#options.secrets();
    const secret = (text: string) => resolveReferences(text, values, `The file ${this.#options.file}`);
    const planned = tool.plan(tool.check(args), secret);
    const key = tool.settings.cacheMs > 0 ? digestOf(planned) : '';
    const cached = this.#cache.get(key);
    if (cached && cached.expires > Date.now()) return cached.result;
    const answer = await exchange(planned, tool.settings, { dispatcher: this.#dispatcher, signal: call.signal });
    const result = resultOf(answer, tool.pick);
    if (key !== '' && result.isError !== true) this.#keep(key, result, tool.settings.cacheMs);
    return result;
  }

  async close(): Promise<void> {
    this.#set({ status: 'stopped' });
    await this.#dispatcher.destroy();
  }

  async #read(): Promise<HttpFile> {
    const text = await readFile(this.#options.file, 'utf8');
    const [{ parse }, { parseYamlText }] = await Promise.all([import('yaml'), import('./yaml-text.ts')]);
    let value: unknown;
    try {
      value = parse(text);
    } catch {
      // Told with its place below.
    }
    return parseYamlText(text, schemaFor(value), this.#options.file);
  }

  #take(found: readonly HttpTool[]): void {
    const patterns = this.#patterns.session();
    const looked = found.map((one) => ({ one, review: lintTool(one.tool, patterns) }));
    const sound = looked.filter(({ one, review }) => {
      if (review.heldBack !== undefined) this.#options.onLog?.(`"${one.tool.name}" is left out: ${review.heldBack}`);
      return review.heldBack === undefined;
    });
    this.#callable = new Map(
      sound.map(({ one, review }) => [
        one.tool.name,
        { ...one, tool: review.tool, check: argumentCheck(review.tool.inputSchema) },
      ]),
    );
    const tools = [...this.#callable.values()].map(({ tool }) => tool);
    if (JSON.stringify(tools) !== JSON.stringify(this.#tools)) this.#tools = tools;
  }

  #keep(key: string, result: ToolResult, lifeMs: number): void {
    this.#cache.delete(key);
    this.#cache.set(key, { result, expires: Date.now() + lifeMs });
    for (const oldest of this.#cache.keys()) if (this.#cache.size > maxCached) this.#cache.delete(oldest);
  }

  #set(health: SourceHealth): void {
    this.#health = health;
    for (const listener of this.#listeners) listener();
  }
}

function digestOf({ method, url, headers, body }: PlannedRequest): string {
  const hash = createHash('sha256').update(JSON.stringify([method, url.href, headers]));
  if (body !== undefined) hash.update(body);
  return hash.digest('base64url');
}
