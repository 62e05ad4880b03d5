import { type HubConfig, type MasterConfig, mainHubName } from '../config/index.ts';
import { HubHttp, McpHub, type ToolOverrides } from '../hub/index.ts';
import { ScheduleTools } from '../schedule/index.ts';
import { resultReaderName, type Selection, selectionOf, type ToolPipeline, type ToolRegistry } from '../tools/index.ts';
import { CallRate } from './call-rate.ts';
import { HealthTool, showsPlugins } from './hub-health.ts';
import { keyOpens } from './keys.ts';

/** A hub that answers: the server object, its HTTP face, and how often it may be called. */
export interface RunningHub {
  readonly hub: McpHub;
  readonly http: HubHttp;
  readonly rate: CallRate;
  /** The key that opens it, or its hash. None: no key does. */
  readonly credential: Credential;
  /** The key, once it has opened it. A set is asked by the hash of a text, so that time says nothing of a wrong one. */
  readonly opened: Set<string>;
}

type Credential = Pick<HubConfig, 'api_key' | 'api_key_hash'>;

export interface HubsOptions {
  readonly registry: ToolRegistry;
  readonly pipeline: ToolPipeline;
  readonly version: string;
  /** Covers secrets in what clients are told of errors. */
  readonly redact: (text: string) => string;
  readonly onError: (hub: string, error: Error) => void;
}

/** The hubs that the configuration asks for. A hub whose key did not change keeps its sessions. */
export class Hubs {
  readonly #options: HubsOptions;
  readonly #running = new Map<string, RunningHub>();
  /** Hubs at which a result was cut. */
  readonly #readers = new Set<string>();

  constructor(options: HubsOptions) {
    this.#options = options;
  }

  get(name: string): RunningHub | undefined {
    return this.#running.get(name);
  }

  /** The hub of this name if the key opens it. */
  open(name: string, key: string): RunningHub | undefined {
    const running = this.#running.get(name);
    if (!running || running.opened.has(key)) return running;
    if (!keyOpens(running.credential, key)) return undefined;
    running.opened.add(key);
    return running;
  }

  async apply(config: MasterConfig): Promise<void> {
    for (const [name, running] of this.#running) {
      const wanted = config.mcp_servers[name];
      if (wanted?.enabled !== true || secretOf(credentialOf(name, wanted)) !== secretOf(running.credential))
        await this.#stop(name);
    }
    for (const [name, wanted] of Object.entries(config.mcp_servers)) {
      if (!wanted.enabled || (name !== mainHubName && secretOf(wanted) === undefined)) continue;
      const selection = this.#selection(name, wanted, config);
      const running = this.#running.get(name);
      if (running) running.hub.select(selection, hubOverrides(wanted));
      else this.#start(name, credentialOf(name, wanted), selection, hubOverrides(wanted));
      this.#running.get(name)?.rate.allow(wanted.rate_limit?.calls_per_minute);
    }
  }

  /** Shows a hub the tool for reading the rest of results. */
  offerReader(name: string, config: MasterConfig): void {
    const hub = config.mcp_servers[name];
    if (!hub || hub.result_paging === false || this.#readers.has(name)) return;
    this.#readers.add(name);
    this.#running.get(name)?.hub.select(this.#selection(name, hub, config), hubOverrides(hub));
  }

  /** What Luna itself brings is no tool of anybody's, and is shown where it is of use. */
  #selection(name: string, hub: HubConfig, config: MasterConfig): Selection {
    const selected = hubSelection(hub, config);
    return (tool) => {
      if (tool.source.kind !== 'builtin') return selected(tool);
      if (tool.tool.name === resultReaderName) return this.#readers.has(name);
      if (tool.source instanceof HealthTool)
        return hub.plugin_health !== false && selected(tool) && showsPlugins(this.#options.registry, selected);
      return tool.source instanceof ScheduleTools ? hub.schedules === true : hub.lua_authoring === true;
    };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((name) => this.#stop(name)));
  }

  #start(name: string, { api_key, api_key_hash }: Credential, selection: Selection, overrides: ToolOverrides): void {
    const { registry, pipeline, version, redact, onError } = this.#options;
    const hub = new McpHub({
      name,
      registry,
      pipeline,
      selection,
      overrides,
      redact,
      serverInfo: { name: `luna-${name}`, version, title: `Luna (${name})` },
    });
    const rate = new CallRate();
    const http = new HubHttp(hub, { admit: (body) => rate.admitBody(body), onError: (error) => onError(name, error) });
    this.#running.set(name, { hub, http, rate, credential: { api_key, api_key_hash }, opened: new Set() });
  }

  async #stop(name: string): Promise<void> {
    const running = this.#running.get(name);
    this.#running.delete(name);
    running?.hub.close();
    await running?.http.close();
  }
}

function credentialOf(name: string, { api_key, api_key_hash }: Credential): Credential {
  return name === mainHubName ? {} : { api_key, api_key_hash };
}

function secretOf({ api_key, api_key_hash }: Credential): string | undefined {
  return api_key ?? api_key_hash;
}

/** What a hub serves: its own switches first, then the switches for all hubs, then everything. */
export function hubSelection(hub: HubConfig, config: MasterConfig): Selection {
  const own = switchesOf(hub.tool_config);
  return selectionOf(own, selectionOf(switchesOf(config.tool_configs)));
}

/** How a hub shows tools otherwise than their sources do. A setting under the qualified name wins. */
export function hubOverrides({ tool_config, max_tool_name_length }: HubConfig): ToolOverrides {
  const settings = new Map(Object.entries(tool_config));
  return {
    of: ({ name, qualifiedName }) => {
      const [plain, qualified] = [settings.get(name), settings.get(qualifiedName)];
      return plain && qualified ? { ...plain, ...qualified } : (qualified ?? plain);
    },
    maxNameLength: max_tool_name_length,
  };
}

function switchesOf(
  settings: Readonly<Record<string, { enabled_in_mcp?: boolean | undefined }>>,
): Map<string, boolean> {
  return new Map(
    Object.entries(settings).flatMap(([name, { enabled_in_mcp }]) =>
      enabled_in_mcp === undefined ? [] : [[name, enabled_in_mcp] as const],
    ),
  );
}
