import type { MasterConfig } from '../config/index.ts';
import { LunaError } from '../errors/index.ts';
import { PlainJsonRpc } from '../hub/index.ts';
import type { Selection, ToolPipeline, ToolRegistry } from '../tools/index.ts';
import { CallRate } from './call-rate.ts';
import { hubSelection } from './hubs.ts';

/** Plain JSON-RPC as a configuration has it: `luna.plain_hub` names what it serves, `luna.plain_rate_limit` how much. */
export function configuredPlainJsonRpc(luna: {
  readonly registry: ToolRegistry;
  readonly pipeline: ToolPipeline;
  readonly config: () => MasterConfig;
  readonly redact: (text: string) => string;
  readonly onError: (error: unknown) => void;
}): PlainJsonRpc {
  const { config, ...rest } = luna;
  const rate = new CallRate();
  return new PlainJsonRpc({
    ...rest,
    selection: () => plainSelection(config()),
    admit: (calls) => {
      rate.allow(config().luna.plain_rate_limit?.calls_per_minute);
      return rate.admit(calls);
    },
  });
}

function plainSelection(config: MasterConfig): Selection {
  const name = config.luna.plain_hub;
  if (name === undefined) return hubSelection({ enabled: true, tool_config: {} }, config);
  const hub = Object.hasOwn(config.mcp_servers, name) ? config.mcp_servers[name] : undefined;
  if (!hub) throw new LunaError('not_found', `There is no hub "${name}", which luna.plain_hub names.`);
  if (!hub.enabled) throw new LunaError('forbidden', `The hub "${name}" is switched off.`);
  return hubSelection(hub, config);
}
