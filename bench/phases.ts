import { join } from 'node:path';
import { LoadGenerator } from './load/generator.ts';
import { type CallSeries, measureCallRounds } from './measures/calls.ts';
import { type ListSeries, measureListRounds } from './measures/lists.ts';
import { measureStartRounds, type StartSeries } from './measures/starts.ts';
import { direct, type Subject } from './measures/subject.ts';
import { QuietWatch } from './quiet.ts';
import type { Settings } from './settings.ts';
import { relay } from './targets/relay.ts';
import type { HubKind, Upstream } from './targets/target.ts';
import { type RunningUpstream, stdioUpstream } from './targets/upstream.ts';

/** The parts of a run: each starts the hubs that it needs, measures, and ends them. */

/** The tools of the upstream while calls and starts are measured. */
const fewTools = 10;

/** The longest time of all waits for a quiet machine together, in milliseconds. */
const quietBudgetMs = 60_000;

/** Hubs that speak to a stdio upstream too: the SDK hub is here for the HTTP comparison only. */
const stdioNames: ReadonlySet<string> = new Set(['Luna', 'mcp-hub']);

/** What is no hub is measured by its calls alone. */
const callsOnly: ReadonlySet<string> = new Set([relay.name]);

/** The hub that is measured with more tools and servers behind it. */
const sizedName = 'Luna';

export class Phases {
  readonly #kinds: readonly HubKind[];
  readonly #upstream: RunningUpstream;
  readonly #settings: Settings;
  readonly #watch = new QuietWatch(quietBudgetMs);
  readonly #generators = new Map<string, LoadGenerator>();

  constructor(kinds: readonly HubKind[], upstream: RunningUpstream, settings: Settings) {
    this.#kinds = kinds;
    this.#upstream = upstream;
    this.#settings = settings;
  }

  calls(): Promise<CallSeries[]> {
    const stdio = this.#kinds
      .filter((kind) => stdioNames.has(kind.name))
      .map((kind) => ({ kind, name: `${kind.name} (stdio)`, upstream: stdioUpstream(fewTools) }));
    const measure = (subjects: readonly Subject[]) => measureCallRounds(subjects, this.#settings, this.#watch);
    return this.#withHubs(
      [...overHttp(this.#kinds, this.#upstream, fewTools), ...stdio],
      fewTools,
      measure,
      this.#settings.profile,
    );
  }

  /** Whether a call takes longer where there is more to choose from. */
  async sizes(): Promise<CallSeries[]> {
    const luna = this.#kinds.find((kind) => kind.name === sizedName);
    if (!luna) return [];
    const over = (tools: number, copies: number): Upstream => ({
      kind: 'http',
      url: this.#upstream.url(tools),
      copies,
    });
    const wanted = [
      { kind: luna, name: sizedName, upstream: over(fewTools, 1) },
      { kind: luna, name: `${sizedName}, 5,000 tools`, upstream: over(5_000, 1) },
      { kind: luna, name: `${sizedName}, 50 servers`, upstream: over(fewTools, 50) },
    ];
    const measure = (subjects: readonly Subject[]) => measureCallRounds(subjects, this.#settings, this.#watch);
    return this.#withHubs(wanted, fewTools, measure);
  }

  async lists(): Promise<ListSeries[]> {
    const all: ListSeries[] = [];
    for (const tools of this.#settings.toolCounts) {
      const measure = (subjects: readonly Subject[]) => measureListRounds(subjects, tools, this.#settings, this.#watch);
      all.push(...(await this.#withHubs(overHttp(this.#hubs, this.#upstream, tools), tools, measure)));
    }
    return all;
  }

  starts(): Promise<StartSeries[]> {
    const upstream: Upstream = { kind: 'http', url: this.#upstream.url(fewTools) };
    return measureStartRounds(this.#hubs, (name) => this.#load(name), upstream, this.#settings, this.#watch);
  }

  get #hubs(): readonly HubKind[] {
    return this.#kinds.filter(({ name }) => !callsOnly.has(name));
  }

  /** Starts the hubs one after the other, measures them beside the upstream itself, and ends them whatever happens. */
  async #withHubs<T>(
    wanted: readonly { kind: HubKind; name: string; upstream: Upstream }[],
    tools: number,
    measure: (subjects: readonly Subject[]) => Promise<T>,
    profiles?: string,
  ): Promise<T> {
    const endings: (() => Promise<void>)[] = [];
    const endpoint = { transport: 'streamable-http', url: this.#upstream.url(tools), headers: {} } as const;
    const subjects: Subject[] = [{ name: direct, endpoint, load: this.#load(direct), pid: this.#upstream.process.pid }];
    try {
      for (const { kind, name, upstream } of wanted) {
        const hub = await kind.start(upstream, profiles && join(profiles, name));
        endings.push(() => hub.stop());
        subjects.push({ name, endpoint: hub.endpoint, load: this.#load(name), pid: hub.process.pid });
      }
      return await measure(subjects);
    } finally {
      await Promise.all(endings.map((end) => end()));
    }
  }

  /** Each target has a generator of its own, warm for its transport and the same in all phases. */
  #load(name: string): LoadGenerator {
    const known = this.#generators.get(name) ?? LoadGenerator.start(name);
    this.#generators.set(name, known);
    return known;
  }
}

function overHttp(
  kinds: readonly HubKind[],
  upstream: RunningUpstream,
  tools: number,
): { kind: HubKind; name: string; upstream: Upstream }[] {
  return kinds.map((kind) => ({ kind, name: kind.name, upstream: { kind: 'http', url: upstream.url(tools) } }));
}
