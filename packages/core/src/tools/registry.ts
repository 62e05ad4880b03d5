import { LunaError } from '../errors/index.ts';
import { nameTools, qualifiedName } from './naming.ts';
import type { ReviewedTool, ToolReview } from './review.ts';
import { schemaReview } from './schema-lint.ts';
import type { ToolSource } from './source.ts';
import type { Tool } from './tool.ts';

/** A tool under its unique name in the registry. */
export interface RegisteredTool {
  /** The unique name; clients call the tool by it. */
  readonly name: string;
  /** `source__tool`: stays the same when other sources come and go. */
  readonly qualifiedName: string;
  readonly source: ToolSource;
  /** The tool as its source describes it (see `ToolReview`), with the source's own name for it. */
  readonly tool: Tool;
}

/** A tool that its source lists, and that nobody may see or call now. */
export interface HeldBackTool extends RegisteredTool {
  readonly reason: string;
}

/**
 * All sources merged under unique names. Adding, removing or swapping a source, or a source that reports a change,
 * makes a new set; whoever watches is told once per change, after the set is complete.
 */
export class ToolRegistry {
  readonly #sources = new Map<string, Held>();
  readonly #listeners = new Set<() => void>();
  readonly #review: ToolReview;
  /** Made anew when somebody asks: changes come in bursts. */
  #merged: { tools: ReadonlyMap<string, RegisteredTool>; heldBack: ReadonlyMap<string, HeldBackTool> } | undefined;

  /** `review` looks at all that sources list before it is there. Default: {@link schemaReview}. */
  constructor(review: ToolReview = schemaReview()) {
    this.#review = review;
  }

  /** Adds a source and watches it. Throws `conflict` when a source of this id is there already. */
  add(source: ToolSource): void {
    if (this.#sources.has(source.id)) {
      throw new LunaError('conflict', `A source with the id "${source.id}" is registered already.`);
    }
    const unwatch = source.onChange(() => this.#refresh(source.id));
    const listed = source.list();
    const reviewed = this.#review(source, listed);
    this.#sources.set(source.id, { source, unwatch, listed, reviewed, revision: source.peer?.revision });
    this.#changed();
  }

  /** Takes a source out; its tools are gone at once. The source itself is not closed. */
  remove(id: string): void {
    const held = this.#sources.get(id);
    if (!held) return;
    held.unwatch();
    this.#sources.delete(id);
    this.#changed();
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
    return this.#merge().tools;
  }

  /** What was held back, under the names that the tools would have. */
  heldBack(): ReadonlyMap<string, HeldBackTool> {
    return this.#merge().heldBack;
  }

  /** The tools of a source as they were reviewed last, in its order. */
  reviewed(id: string): readonly ReviewedTool[] {
    return this.#sources.get(id)?.reviewed ?? [];
  }

  /** Looks once more at what a source lists: somebody has decided otherwise. */
  reviewAgain(id: string): void {
    const held = this.#sources.get(id);
    if (!held) return;
    held.reviewed = this.#review(held.source, held.listed);
    this.#changed();
  }

  /** The tool of this unique name, or of this qualified name. */
  get(name: string): RegisteredTool | undefined {
    return find(this.#merge().tools, name);
  }

  /** The tool of this name, where it is held back. */
  getHeldBack(name: string): HeldBackTool | undefined {
    return find(this.#merge().heldBack, name);
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
    if (toolsChanged) held.reviewed = this.#review(held.source, listed);
    this.#changed(toolsChanged);
  }

  #merge() {
    this.#merged ??= merge([...this.#sources.values()].sort((a, b) => (a.source.id < b.source.id ? -1 : 1)));
    return this.#merged;
  }

  #changed(toolsChanged = true): void {
    if (toolsChanged) this.#merged = undefined;
    for (const listener of this.#listeners) listener();
  }
}

/** Names all tools, those that are held back as well: what one is called does not hang on the state of another. */
function merge(sources: readonly Held[]) {
  const found = sources.flatMap(({ source, reviewed }) => reviewed.map((result) => ({ source, ...result })));
  const origins = found.map(({ source, tool }) => ({ source: source.id, tool: tool.name }));
  const names = nameTools(origins);
  const tools = new Map<string, RegisteredTool>();
  const heldBack = new Map<string, HeldBackTool>();
  found.forEach(({ source, tool, heldBack: reason }, index) => {
    const name = names[index];
    const origin = origins[index];
    if (name === undefined || !origin) return;
    const registered = { name, qualifiedName: qualifiedName(origin), source, tool };
    if (reason === undefined) tools.set(name, registered);
    else heldBack.set(name, { ...registered, reason });
  });
  return { tools, heldBack };
}

function find<Found extends RegisteredTool>(tools: ReadonlyMap<string, Found>, name: string): Found | undefined {
  const tool = tools.get(name);
  if (tool || !name.includes('__')) return tool;
  for (const candidate of tools.values()) if (candidate.qualifiedName === name) return candidate;
  return undefined;
}

interface Held {
  readonly source: ToolSource;
  readonly unwatch: () => void;
  listed: readonly Tool[];
  reviewed: readonly ReviewedTool[];
  revision: number | undefined;
}
