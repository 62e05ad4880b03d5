import type { MasterConfig } from '../config/index.ts';
import { LunaError } from '../errors/index.ts';
import { McpHub, PlainJsonRpc } from '../hub/index.ts';
import { type RegisteredTool, resultReaderName, type ToolPipeline, type ToolRegistry } from '../tools/index.ts';
import { CallRate } from './call-rate.ts';
import { type Hubs, hubSelection } from './hubs.ts';

/** Plain JSON-RPC as a configuration has it: `luna.plain_hub` names what it serves, `luna.plain_rate_limit` how much. */
export function configuredPlainJsonRpc(luna: {
  readonly registry: ToolRegistry;
  readonly pipeline: ToolPipeline;
  readonly hubs: Pick<Hubs, 'get'>;
  readonly config: () => MasterConfig;
  readonly redact: (text: string) => string;
  readonly onError: (error: unknown) => void;
}): PlainJsonRpc {
  const { config, redact, onError } = luna;
  const rate = new CallRate();
  const general = new GeneralHub(luna);
  return new PlainJsonRpc({
    redact,
    onError,
    hub: () => {
      const name = config().luna.plain_hub;
      return name === undefined ? general.of(config()) : namedHub(name, config(), luna.hubs);
    },
    admit: (calls) => {
      rate.allow(config().luna.plain_rate_limit?.calls_per_minute);
      return rate.admit(calls);
    },
  });
}

function namedHub(name: string, config: MasterConfig, hubs: Pick<Hubs, 'get'>): McpHub {
  const hub = Object.hasOwn(config.mcp_servers, name) ? config.mcp_servers[name] : undefined;
  if (!hub) throw new LunaError('not_found', `There is no hub "${name}", which luna.plain_hub names.`);
  const running = hubs.get(name);
  if (!hub.enabled || !running) throw new LunaError('forbidden', `The hub "${name}" is switched off.`);
  return running.hub;
}

/** All tools that are on for all hubs. Made when it is asked for first. */
class GeneralHub {
  readonly #luna: { readonly registry: ToolRegistry; readonly pipeline: ToolPipeline };
  #hub: McpHub | undefined;
  #config: MasterConfig | undefined;

  constructor(luna: { readonly registry: ToolRegistry; readonly pipeline: ToolPipeline }) {
    this.#luna = luna;
  }

  of(config: MasterConfig): McpHub {
    const { registry, pipeline } = this.#luna;
    this.#hub ??= new McpHub({ name: 'mcp', registry, pipeline });
    if (config !== this.#config) {
      const selected = hubSelection({ enabled: true, tool_config: {} }, config);
      // What a hub offers to its own clients is not for those who only have the token of /mcp.
      const isOwn = ({ source, tool }: RegisteredTool) => source.kind === 'builtin' && tool.name !== resultReaderName;
      this.#hub.select((tool) => !isOwn(tool) && selected(tool));
    }
    this.#config = config;
    return this.#hub;
  }
}
