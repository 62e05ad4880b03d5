import type { MasterConfig } from '../config/index.ts';
import { LunaError } from '../errors/index.ts';
import type { McpHub } from '../hub/index.ts';
import {
  hubBehind,
  type RunSchedule,
  type SchedulableAgent,
  type ScheduleAction,
  type ScheduledRun,
  type ScheduleOwner,
  Scheduler,
  type SchedulerOptions,
  ScheduleTools,
} from '../schedule/index.ts';
import type { Caller, RegisteredTool, Selection, SourceCall, ToolPipeline, ToolResult } from '../tools/index.ts';
import type { Hubs } from './hubs.ts';

/** What a schedule asks of an agent. */
export interface ScheduledPrompt {
  /** The name of an agent or preset. */
  readonly agent: string;
  readonly prompt: string;
  readonly caller: Caller;
  readonly signal: AbortSignal;
  /** What the agent may call, beside what its preset says. Left out: all that it otherwise may. */
  readonly selection?: Selection | undefined;
}

/** The agents of a Luna, as schedules need them. */
export interface ScheduledAgents {
  /** Asks an agent; answers with what it says at the end. */
  runAgent(prompt: ScheduledPrompt): Promise<string>;
  list(): Promise<readonly SchedulableAgent[]>;
  /** What a preset may call. Throws `not_found`. */
  presetSelection(preset: string): Selection;
}

export interface LunaSchedulesOptions extends Omit<SchedulerOptions, 'run' | 'timezone'> {
  readonly hubs: Pick<Hubs, 'get'>;
  readonly pipeline: ToolPipeline;
  readonly config: () => MasterConfig;
  /** Left out: what needs agents or presets says that there are none. */
  readonly agents?: ScheduledAgents | undefined;
}

/** The schedules of a Luna, and the tools by which agents make some. */
export interface LunaSchedules {
  readonly scheduler: Scheduler;
  readonly tools: ScheduleTools;
  readonly agents: () => Promise<readonly SchedulableAgent[]>;
}

/** Faces of Luna behind which an administrator stands. */
const administrators: readonly string[] = ['api', 'ui', 'cli'];

/** Schedules whose calls go through the pipeline, under the hub or preset that they name. */
export function lunaSchedules({ hubs, pipeline, config, agents, ...options }: LunaSchedulesOptions): LunaSchedules {
  const lookUp: HubLookUp = (name) => runningHub(name, hubs, config());
  const run: RunSchedule = (asked) => runSchedule(asked, { lookUp, config, pipeline, agents });
  const scheduler = new Scheduler({ ...options, run, timezone: () => config().luna.timezone });
  const listAgents = async () => theseAgents(agents).list();
  const tools = new ScheduleTools({
    scheduler,
    ownerOf,
    assertAllowed: (hub, action) => assertAllowed(lookUp(hub), action),
    agents: listAgents,
  });
  return { scheduler, tools, agents: listAgents };
}

type HubLookUp = (name: string) => McpHub;

interface RunContext {
  readonly lookUp: HubLookUp;
  readonly config: () => MasterConfig;
  readonly pipeline: ToolPipeline;
  readonly agents: ScheduledAgents | undefined;
}

async function runSchedule({ schedule, signal }: ScheduledRun, context: RunContext): Promise<string> {
  const { action, name, preset } = schedule.definition;
  const caller = { kind: 'schedule', name };
  const behind = hubBehind(schedule);
  const hubName = behind ?? schedule.definition.hub;
  const hub = hubName === undefined ? undefined : context.lookUp(hubName);
  if (behind !== undefined && context.config().mcp_servers[behind]?.schedules !== true)
    throw new LunaError('forbidden', `The hub "${behind}" does not let its clients make schedules any more.`);
  if (action.tool === undefined) {
    const { agent = '', prompt = '' } = action;
    const selection = hub && withoutFilledIn(hub);
    return theseAgents(context.agents).runAgent({ agent, prompt, caller, signal, selection });
  }
  // A hub is asked itself, so that names and arguments that it sets are those that its clients have.
  if (hub) return textOf(await hub.callTool(action.tool, action.args ?? {}, { caller, signal }));
  const selection = preset === undefined ? undefined : theseAgents(context.agents).presetSelection(preset);
  const request = { name: action.tool, args: action.args ?? {}, caller, signal };
  return textOf(await context.pipeline.call(selection ? { ...request, selection } : request));
}

function runningHub(name: string, hubs: Pick<Hubs, 'get'>, config: MasterConfig): McpHub {
  const hub = Object.hasOwn(config.mcp_servers, name) ? config.mcp_servers[name] : undefined;
  if (!hub) throw new LunaError('not_found', `There is no hub "${name}", under which the schedule runs.`);
  const running = hubs.get(name);
  if (!hub.enabled || !running) throw new LunaError('forbidden', `The hub "${name}" is switched off.`);
  return running.hub;
}

/** The tools of a hub for an agent. Where the hub fills in arguments, a selection cannot: such tools are left out. */
function withoutFilledIn(hub: McpHub): Selection {
  let list = hub.tools;
  let allowed = untouched(list);
  return ({ qualifiedName }) => {
    if (hub.tools !== list) {
      list = hub.tools;
      allowed = untouched(list);
    }
    return allowed.has(qualifiedName);
  };
}

function untouched(list: McpHub['tools']): ReadonlySet<string> {
  const tools: [string, RegisteredTool][] = [...list.visible];
  return new Set(
    tools.filter(([name]) => list.view(name)?.argumentsFor === undefined).map(([, tool]) => tool.qualifiedName),
  );
}

function theseAgents(agents: ScheduledAgents | undefined): ScheduledAgents {
  if (agents) return agents;
  throw new LunaError(
    'source_unavailable',
    'Agents are not available in this Luna. Schedule the call of a tool instead.',
  );
}

function ownerOf(caller: SourceCall['caller']): ScheduleOwner {
  if (caller?.kind === 'hub' && caller.name !== undefined)
    return { maker: { kind: 'hub', name: caller.name }, hub: caller.name };
  if (caller && administrators.includes(caller.kind)) return { maker: { kind: caller.kind, name: caller.name } };
  throw new LunaError('forbidden', 'Only clients of a hub and administrators make schedules.');
}

function assertAllowed(hub: McpHub, { tool }: ScheduleAction): void {
  if (tool === undefined || hub.tools.visible.has(tool)) return;
  throw new LunaError('tool_not_found', `Unknown tool: ${tool}`, { details: { tool } });
}

/** What a tool answered, as text. Throws `tool_failed` with it where it is a failure. */
function textOf({ content, structuredContent, isError }: ToolResult): string {
  const blocks = content.map((block) => (block.type === 'text' ? String(block.text) : `[${block.type}]`));
  const text =
    blocks.length > 0 || structuredContent === undefined ? blocks.join('\n') : JSON.stringify(structuredContent);
  if (!isError) return text;
  throw new LunaError('tool_failed', text || 'The tool failed and did not say why.');
}
