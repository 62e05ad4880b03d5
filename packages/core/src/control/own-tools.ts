import type { ConfigStore } from '../config/index.ts';
import { type Caller, type KeptResults, ResultReader, type ToolRegistry, type ToolSource } from '../tools/index.ts';
import { HealthTool, healthOfHub } from './hub-health.ts';
import type { Hubs } from './hubs.ts';

export interface OwnToolsOptions {
  readonly registry: ToolRegistry;
  readonly hubs: Hubs;
  readonly config: ConfigStore;
  /** The rest of results that were cut. */
  readonly results: KeptResults;
  /** For hubs that let their clients write tools. */
  readonly luaAuthoring: ToolSource;
  /** For hubs that let their clients make schedules. */
  readonly schedules: ToolSource;
}

/** Tools of Luna's own: each is in the registry once it is of use to somebody. */
export class OwnTools {
  readonly #options: OwnToolsOptions;

  constructor(options: OwnToolsOptions) {
    const { registry, hubs } = options;
    this.#options = options;
    const healthTool = new HealthTool((name) => {
      const running = hubs.get(name);
      return running && healthOfHub(running.hub, registry);
    });
    registry.onChange(() => healthTool.offerIn(registry));
  }

  /** Those are there that a hub of the configuration wants. */
  offer(): void {
    const { registry, config, luaAuthoring, schedules } = this.#options;
    const hubs = Object.values(config.config.mcp_servers);
    const offer = (source: ToolSource, isWanted: boolean) => {
      if (isWanted && !registry.source(source.id)) registry.add(source);
      else if (!isWanted) registry.remove(source.id);
    };
    offer(
      luaAuthoring,
      hubs.some((hub) => hub.lua_authoring === true),
    );
    offer(
      schedules,
      hubs.some((hub) => hub.schedules === true),
    );
  }

  /** The tool for the rest of results is there from the first one on that was cut, and for whom that happened. */
  offerReader({ kind, name }: Caller): void {
    const { registry, hubs, config, results } = this.#options;
    const reader = new ResultReader(results);
    if (!registry.source(reader.id)) registry.add(reader);
    if (kind === 'hub' && name !== undefined) hubs.offerReader(name, config.config);
  }
}
