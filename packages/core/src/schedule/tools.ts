import { z } from 'zod';
import { LunaError } from '../errors/index.ts';
import {
  BuiltInSource,
  type JsonSchema,
  type SourceCall,
  type Tool,
  type ToolArguments,
  type ToolResult,
  toToolResult,
} from '../tools/index.ts';
import { type ScheduleAction, type ScheduleWhen, scheduleDefinition, scheduleWhen } from './definition.ts';
import { parsed } from './parse.ts';
import type { ScheduleMaker } from './schedule.ts';
import type { Scheduler } from './scheduler.ts';
import type { ScheduleView } from './views.ts';

/** An agent or preset that a schedule may ask. */
export interface SchedulableAgent {
  readonly name: string;
  readonly description?: string | undefined;
}

/** For whom the tools act. */
export interface ScheduleOwner {
  readonly maker: ScheduleMaker;
  /** The hub whose schedules these are. Left out: all schedules, of an administrator. */
  readonly hub?: string | undefined;
}

export interface ScheduleToolsOptions {
  readonly scheduler: Scheduler;
  /** Throws `forbidden` for a caller that may not make schedules. */
  readonly ownerOf: (caller: SourceCall['caller']) => ScheduleOwner;
  /** Throws when the hub does not let its clients do this now. It is asked again when the schedule runs. */
  readonly assertAllowed: (hub: string, action: ScheduleAction) => void;
  /** Throws when there are no agents here. */
  readonly agents: () => Promise<readonly SchedulableAgent[]>;
}

/** What agents make does not run more often than this, in seconds. */
const shortestIntervalSeconds = 60;

const inputs = {
  schedule_register: scheduleDefinition.omit({ hub: true, preset: true }),
  schedule_list: z.object({}),
  schedule_cancel: z.object({ name: z.string().describe('The name of the schedule.') }),
  schedule_run: z.object({
    name: z.string().describe('The name of the schedule.'),
    wait: z.boolean().default(true).describe('Answer when the run has ended, with what came of it.'),
  }),
  schedule_test: z.object({ when: scheduleWhen }),
  schedule_agents: z.object({}),
};
type ToolName = keyof typeof inputs;

const descriptions: Record<ToolName, string> = {
  schedule_register:
    'Makes a schedule: calls a tool, or asks an agent, once at a time, by a cron expression, or again and again.',
  schedule_list: 'Lists the schedules that were made here, with when they run next and how they ended last.',
  schedule_cancel: 'Deletes a schedule with its history, and ends its run.',
  schedule_run: 'Runs a schedule now, whatever its times.',
  schedule_test: 'Says the next five times that a schedule would have, and makes none.',
  schedule_agents: 'Lists the agents and presets that a schedule can ask.',
};

/** Luna's own tools by which agents schedule themselves, for hubs that allow it. */
export class ScheduleTools extends BuiltInSource {
  override readonly id = 'luna:schedules';
  readonly #options: ScheduleToolsOptions;
  readonly #tools: readonly Tool[] = (Object.keys(inputs) as ToolName[]).map((name) => ({
    name,
    description: descriptions[name],
    inputSchema: z.toJSONSchema(inputs[name], { io: 'input' }) as JsonSchema,
    annotations: {
      readOnlyHint: !['schedule_register', 'schedule_cancel', 'schedule_run'].includes(name),
      destructiveHint: name === 'schedule_cancel',
    },
  }));

  constructor(options: ScheduleToolsOptions) {
    super();
    this.#options = options;
  }

  override list(): readonly Tool[] {
    return this.#tools;
  }

  override async call(tool: string, args: ToolArguments, call: SourceCall): Promise<ToolResult> {
    return toToolResult(await this.#answer(tool, args, this.#options.ownerOf(call.caller)));
  }

  async #answer(tool: string, args: ToolArguments, owner: ScheduleOwner): Promise<unknown> {
    const { scheduler, agents } = this.#options;
    switch (tool) {
      case 'schedule_register':
        return this.#register(args, owner);
      case 'schedule_list':
        return { schedules: scheduler.list().filter((schedule) => isOf(owner, schedule)) };
      case 'schedule_cancel': {
        const { id, name } = this.#find(parsed(inputs.schedule_cancel, args).name, owner);
        await scheduler.remove(id);
        return { name, status: 'cancelled' };
      }
      case 'schedule_run': {
        const { name, wait } = parsed(inputs.schedule_run, args);
        const run = await scheduler.run(this.#find(name, owner).id, { wait });
        return ['failed', 'interrupted'].includes(run.status) ? [false, run] : run;
      }
      case 'schedule_test':
        return scheduler.test(parsed(inputs.schedule_test, args).when);
      case 'schedule_agents':
        return { agents: await agents() };
      default:
        throw new LunaError('tool_not_found', `Unknown tool: ${tool}`);
    }
  }

  async #register(args: ToolArguments, { maker, hub }: ScheduleOwner): Promise<unknown> {
    const definition = parsed(inputs.schedule_register, args);
    const { agent } = definition.action;
    if (agent !== undefined) {
      const known = (await this.#options.agents()).map(({ name }) => name);
      if (!known.includes(agent))
        throw new LunaError('not_found', `There is no agent "${agent}". The tool schedule_agents lists them.`);
    }
    if (hub === undefined) return this.#options.scheduler.add(definition, maker);
    this.#options.assertAllowed(hub, definition.action);
    assertNotTooOften(definition.when);
    return this.#options.scheduler.add({ ...definition, hub }, maker);
  }

  /** Of schedules of others it is not even told that they exist. */
  #find(name: string, owner: ScheduleOwner): ScheduleView {
    const found = this.#options.scheduler
      .list()
      .find((schedule) => isOf(owner, schedule) && (schedule.name === name || schedule.id === name));
    if (!found) throw new LunaError('not_found', `There is no schedule "${name}". The tool schedule_list lists them.`);
    return found;
  }
}

function isOf({ hub }: ScheduleOwner, { madeBy }: ScheduleView): boolean {
  return hub === undefined || (madeBy.kind === 'hub' && madeBy.name === hub);
}

function assertNotTooOften({ cron, every_seconds }: ScheduleWhen): void {
  const isTooOften = every_seconds !== undefined && every_seconds < shortestIntervalSeconds;
  if (!isTooOften && (cron === undefined || cron.trim().split(/\s+/).length <= 5)) return;
  throw new LunaError(
    'invalid_input',
    'Schedules that are made here run once a minute at most: give "every_seconds" of 60 or more, or a "cron" of five parts.',
  );
}
