import type { HubConfig, MasterConfig } from '../config/index.ts';
import { HubHttp, McpHub } from '../hub/index.ts';
import { type Selection, selectionOf, type ToolPipeline, type ToolRegistry } from '../tools/index.ts';
import { keysEqual } from './keys.ts';

/** A hub that answers: the server object, its HTTP face, and the key that opens it. */
export interface RunningHub {
  readonly hub: McpHub;
  readonly http: HubHttp;
  readonly key: string;
}

export interface HubsOptions {
  readonly registry: ToolRegistry;
  readonly pipeline: ToolPipeline;
  readonly version: string;
  readonly onError: (hub: string, error: Error) => void;
}

/** The hubs that the configuration asks for. A hub whose key did not change keeps its sessions. */
export class Hubs {
  readonly #options: HubsOptions;
  readonly #running = new Map<string, RunningHub>();

  constructor(options: HubsOptions) {
    this.#options = options;
  }

  get(name: string): RunningHub | undefined {
    return this.#running.get(name);
  }

  /** The hub of this name if the key opens it. */
  open(name: string, key: string): RunningHub | undefined {
    const running = this.#running.get(name);
    return running && keysEqual(running.key, key) ? running : undefined;
  }

  async apply(config: MasterConfig): Promise<void> {
    for (const [name, running] of this.#running) {
      const wanted = config.mcp_servers[name];
      if (wanted?.enabled !== true || wanted.api_key !== running.key) await this.#stop(name);
    }
    for (const [name, wanted] of Object.entries(config.mcp_servers)) {
      if (!wanted.enabled || wanted.api_key === undefined) continue;
      const selection = hubSelection(wanted, config);
      const running = this.#running.get(name);
      if (running) running.hub.select(selection);
      else this.#start(name, wanted.api_key, selection);
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((name) => this.#stop(name)));
  }

  #start(name: string, key: string, selection: Selection): void {
    const { registry, pipeline, version, onError } = this.#options;
    const hub = new McpHub({
      name,
      registry,
      pipeline,
      selection,
      serverInfo: { name: `luna-${name}`, version, title: `Luna (${name})` },
    });
    const http = new HubHttp(hub, { onError: (error) => onError(name, error) });
    this.#running.set(name, { hub, http, key });
  }

  async #stop(name: string): Promise<void> {
    const running = this.#running.get(name);
    this.#running.delete(name);
    running?.hub.close();
    await running?.http.close();
  }
}

/** What a hub serves: its own switches first, then the switches for all hubs, then everything. */
export function hubSelection(hub: HubConfig, config: MasterConfig): Selection {
  const own = new Map(Object.entries(hub.tool_config).map(([name, setting]) => [name, setting.enabled_in_mcp]));
  const general = new Map<string, boolean>();
  for (const [name, setting] of Object.entries(config.tool_configs)) {
    if (setting.enabled_in_mcp !== undefined) general.set(name, setting.enabled_in_mcp);
  }
  return selectionOf(own, selectionOf(general));
}
