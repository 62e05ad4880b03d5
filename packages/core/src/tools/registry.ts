import { LunaError } from '../errors/index.ts';
import { nameTools, qualifiedName } from './naming.ts';
import type { ToolSource } from './source.ts';
import type { Tool } from './tool.ts';

/** A tool under its unique name in the registry. */
export interface RegisteredTool {
  /** The unique name; clients call the tool by it. */
  readonly name: string;
  /** `source__tool`: stays the same when other sources come and go. */
  readonly qualifiedName: string;
  readonly source: ToolSource;
  /** The tool as its source describes it, with the source's own name for it. */
  readonly tool: Tool;
}

/**
 * All sources merged under unique names. Adding, removing or swapping a source, or a source that reports a change,
 * makes a new set; whoever watches is told once per change, after the set is complete.
 */
export class ToolRegistry {
  readonly #sources = new Map<string, Held>();
  readonly #listeners = new Set<() => void>();
  #tools: ReadonlyMap<string, RegisteredTool> = new Map();

  /** Adds a source and watches it. Throws `conflict` when a source of this id is there already. */
  add(source: ToolSource): void {
    if (this.#sources.has(source.id)) {
      throw new LunaError('conflict', `A source with the id "${source.id}" is registered already.`);
    }
    const unwatch = source.onChange(() => this.#refresh(source.id));
    this.#sources.set(source.id, { source, unwatch, listed: source.list(), revision: source.peer?.revision });
    this.#rebuild();
  }

  /** Takes a source out; its tools are gone at once. The source itself is not closed. */
  remove(id: string): void {
    const held = this.#sources.get(id);
    if (!held) return;
    held.unwatch();
    this.#sources.delete(id);
    this.#rebuild();
  }

  /** The sources, in the order of their ids. */
  sources(): ToolSource[] {
    return [...this.#sources.values()].map((held) => held.source).sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  source(id: string): ToolSource | undefined {
    return this.#sources.get(id)?.source;
  }

  /** All tools by unique name, ordered by source id and then as the source lists them. A new map after each change. */
  tools(): ReadonlyMap<string, RegisteredTool> {
    return this.#tools;
  }

  /** The tool of this unique name, or of this qualified name. */
  get(name: string): RegisteredTool | undefined {
    const tool = this.#tools.get(name);
    if (tool) return tool;
    if (!name.includes('__')) return undefined;
    for (const candidate of this.#tools.values()) if (candidate.qualifiedName === name) return candidate;
    return undefined;
  }

  /** Calls the listener after each change of the tools, or of what servers offer beside tools; returns how to stop. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A source also reports changes of health; only another list makes another set. */
  #refresh(id: string): void {
    const held = this.#sources.get(id);
    if (!held) return;
    const listed = held.source.list();
    const revision = held.source.peer?.revision;
    if (listed === held.listed && revision === held.revision) return;
    const toolsChanged = listed !== held.listed;
    held.listed = listed;
    held.revision = revision;
    if (toolsChanged) this.#rebuild();
    else this.#tell();
  }

  #rebuild(): void {
    const found = this.sources().flatMap((source) => source.list().map((tool) => ({ source, tool })));
    const origins = found.map(({ source, tool }) => ({ source: source.id, tool: tool.name }));
    const names = nameTools(origins);
    const tools = new Map<string, RegisteredTool>();
    found.forEach(({ source, tool }, index) => {
      const name = names[index];
      const origin = origins[index];
      if (name !== undefined && origin) tools.set(name, { name, qualifiedName: qualifiedName(origin), source, tool });
    });
    this.#tools = tools;
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

interface Held {
  readonly source: ToolSource;
  readonly unwatch: () => void;
  listed: readonly Tool[];
  revision: number | undefined;
}
