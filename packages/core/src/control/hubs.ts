import type { HubConfig, MasterConfig } from '../config/index.ts';
import { HubHttp, McpHub } from '../hub/index.ts';
import { type Selection, selectionOf, type ToolPipeline, type ToolRegistry } from '../tools/index.ts';
import { CallRate } from './call-rate.ts';
import { keyOpens } from './keys.ts';

/** A hub that answers: the server object, its HTTP face, and how often it may be called. */
export interface RunningHub {
  readonly hub: McpHub;
  readonly http: HubHttp;
  readonly rate: CallRate;
  /** The key that opens it, or its hash. None: no key does. */
  readonly credential: Credential;
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

  constructor(options: HubsOptions) {
    this.#options = options;
  }

  get(name: string): RunningHub | undefined {
    return this.#running.get(name);
  }

  /** The hub of this name if the key opens it. */
  open(name: string, key: string): RunningHub | undefined {
    const running = this.#running.get(name);
    return running && keyOpens(running.credential, key) ? running : undefined;
  }

  async apply(config: MasterConfig): Promise<void> {
    for (const [name, running] of this.#running) {
      const wanted = config.mcp_servers[name];
      if (wanted?.enabled !== true || secretOf(credentialOf(name, wanted)) !== secretOf(running.credential))
        await this.#stop(name);
    }
    for (const [name, wanted] of Object.entries(config.mcp_servers)) {
      if (!wanted.enabled || (name !== mainHubName && secretOf(wanted) === undefined)) continue;
      const selection = hubSelection(wanted, config);
      const running = this.#running.get(name);
      if (running) running.hub.select(selection);
      else this.#start(name, credentialOf(name, wanted), selection);
      this.#running.get(name)?.rate.allow(wanted.rate_limit?.calls_per_minute);
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((name) => this.#stop(name)));
  }

  #start(name: string, { api_key, api_key_hash }: Credential, selection: Selection): void {
    const { registry, pipeline, version, redact, onError } = this.#options;
    const hub = new McpHub({
      name,
      registry,
      pipeline,
      selection,
      redact,
      serverInfo: { name: `luna-${name}`, version, title: `Luna (${name})` },
    });
    const rate = new CallRate();
    const http = new HubHttp(hub, { admit: (body) => rate.admitBody(body), onError: (error) => onError(name, error) });
    this.#running.set(name, { hub, http, rate, credential: { api_key, api_key_hash } });
  }

  async #stop(name: string): Promise<void> {
    const running = this.#running.get(name);
    this.#running.delete(name);
    running?.hub.close();
    await running?.http.close();
  }
}

/** The hub that is always there, at /api/mcp. Clients of people get in by their consent, and no key opens it. */
export const mainHubName = 'main';

function credentialOf(name: string, { api_key, api_key_hash }: Credential): Credential {
  return name === mainHubName ? {} : { api_key, api_key_hash };
}

function secretOf({ api_key, api_key_hash }: Credential): string | undefined {
  return api_key ?? api_key_hash;
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
