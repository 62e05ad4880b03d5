import { readFile } from 'node:fs/promises';
import { setTimeout as passed } from 'node:timers/promises';
import { LunaError } from '@luna/core/errors';
import {
  type ScheduleRunView,
  type ScheduleView,
  scheduleRunView,
  scheduleTimesView,
  scheduleView,
} from '@luna/core/views';
import { Command, Option } from 'commander';
import { z } from 'zod';
import { print, table } from '../output.ts';
import { actBelow, type HomeOptions, type Request, subcommand } from '../subcommand.ts';
import { actionOf, secondsOf, whenOf, whenText } from './schedule/definition.ts';

const root = '/schedules';
/** Milliseconds between two looks at a run. */
const askAgainMs = 200;

interface AddOptions extends HomeOptions {
  readonly tool?: string;
  readonly args?: string;
  readonly agent?: string;
  readonly prompt?: string;
  readonly cron?: string;
  readonly timezone?: string;
  readonly at?: string;
  readonly every?: string;
  readonly from?: string;
  readonly missed?: string;
  readonly overlap?: string;
  readonly timeLimit?: string;
  readonly hub?: string;
  readonly preset?: string;
  readonly disabled?: boolean;
}

export function scheduleCommand(): Command {
  const command = new Command('schedule').description('Call tools and ask agents at times that you set.');
  for (const make of [list, show, add, test, runNow, enable, disable, remove]) command.addCommand(make());
  return command;
}

function list(): Command {
  return subcommand('list', 'List the schedules.').action((options: HomeOptions) =>
    act(options, async (request) => {
      const { schedules } = await request('GET', '', z.object({ schedules: z.array(scheduleView) }));
      print(schedules, options.json, (views) =>
        views.length === 0
          ? 'There is no schedule. Make one with: luna schedule add NAME --tool TOOL --cron "0 9 * * *"'
          : table([['SCHEDULE', 'WHEN', 'NEXT', 'LAST RUN', 'DOES'], ...views.map(rowOf)]),
      );
    }),
  );
}

function show(): Command {
  return subcommand('show', 'Show a schedule and what it has done.')
    .argument('<name>', 'the name or the id of the schedule')
    .action((name: string, options: HomeOptions) =>
      act(options, async (request) => {
        const schedule = await request('GET', pathOf(name), scheduleView);
        const history = z.object({ runs: z.array(scheduleRunView) });
        const { runs } = await request('GET', `${pathOf(name)}/runs`, history);
        print({ ...schedule, runs }, options.json, () => [describe(schedule), ...runs.map(runLine)].join('\n'));
      }),
    );
}

function add(): Command {
  return timed(subcommand('add', 'Make a schedule.').argument('<name>', 'a name that no other schedule has'))
    .option('--tool <name>', 'the tool to call')
    .option('--args <json>', 'its arguments as a JSON object, or @file to read them from a file')
    .option('--agent <name>', 'instead of a tool: the agent or preset to ask')
    .option('--prompt <text>', 'what to ask it, or @file to read it from a file')
    .addOption(
      new Option('--missed <rule>', 'times that Luna missed (default: skip; run_once with --at)').choices([
        'skip',
        'run_once',
      ]),
    )
    .addOption(
      new Option('--overlap <rule>', 'a time at which the last run has not ended (default: skip)').choices([
        'skip',
        'queue',
        'parallel',
      ]),
    )
    .option('--time-limit <time>', 'end a run that takes longer, such as 90s or 10m (default: 1h)')
    .option('--hub <name>', 'call only what this hub shows, as its clients would')
    .option('--preset <name>', 'call only what this preset of agents holds')
    .option('--disabled', 'switched off at first')
    .addHelpText(
      'after',
      '\nExamples:\n  luna schedule add standup --tool notes_list --cron "0 9 * * 1-5" --timezone Europe/Berlin\n  luna schedule add reminder --agent helper --prompt "Water the plants?" --at 2030-06-01T18:00:00+02:00',
    )
    .action((name: string, options: AddOptions) =>
      act(options, async (request) => {
        const schedule = await request('POST', '', scheduleView, {
          name,
          action: await actionOf(options, (file) => readFile(file, 'utf8')),
          when: whenOf(options),
          missed: options.missed,
          overlap: options.overlap,
          ...(options.timeLimit !== undefined && { time_limit_seconds: secondsOf(options.timeLimit, '--time-limit') }),
          hub: options.hub,
          preset: options.preset,
          ...(options.disabled && { enabled: false }),
        });
        print(
          schedule,
          options.json,
          ({ next }) => `The schedule "${name}" runs next ${next ?? 'when you enable it'}.`,
        );
      }),
    );
}

function test(): Command {
  return timed(subcommand('test', 'Say the next five times that a schedule would have, and make none.')).action(
    (options: AddOptions) =>
      act(options, async (request) => {
        const answer = await request('POST', '/test', scheduleTimesView, { when: whenOf(options) });
        print(answer, options.json, ({ times }) => times.map(({ local }) => local).join('\n'));
      }),
  );
}

function runNow(): Command {
  return subcommand('run', 'Run a schedule now, whatever its times, and wait for its end.')
    .argument('<name>', 'the name or the id of the schedule')
    .option('--no-wait', 'do not wait for its end')
    .action((name: string, options: HomeOptions & { wait: boolean }) =>
      act(options, async (request) => {
        const begun = await request('POST', `${pathOf(name)}/run`, scheduleRunView, {});
        const made = options.wait ? await ended(begun, request) : begun;
        print(made, options.json, ({ result, ...rest }) => [runLine(rest), ...(result ? [result] : [])].join('\n'));
        if (made.status !== 'succeeded' && !isOpen(made)) process.exitCode = 2;
      }),
    );
}

function enable(): Command {
  return switching('enable', 'Switch a schedule on. Times from now on count.', true);
}

function disable(): Command {
  return switching('disable', 'Switch a schedule off. A run under way goes on.', false);
}

function switching(verb: string, description: string, enabled: boolean): Command {
  return subcommand(verb, description)
    .argument('<name>', 'the name or the id of the schedule')
    .action((name: string, options: HomeOptions) =>
      act(options, async (request) => {
        const schedule = await request('PATCH', pathOf(name), scheduleView, { enabled });
        const next = schedule.next === undefined ? '.' : ` and runs next ${schedule.next}.`;
        print(schedule, options.json, () => `The schedule "${schedule.name}" is ${enabled ? 'on' : 'off'}${next}`);
      }),
    );
}

function remove(): Command {
  return subcommand('remove', 'Delete a schedule with its history, and end its run.')
    .argument('<name>', 'the name or the id of the schedule')
    .action((name: string, options: HomeOptions) =>
      act(options, async (request) => {
        await request('DELETE', pathOf(name), z.undefined());
        print({ removed: name }, options.json, () => `The schedule "${name}" is gone.`);
      }),
    );
}

/** A run may take longer than a connection waits for an answer; so it is asked for again and again. */
async function ended(run: ScheduleRunView, request: Request): Promise<ScheduleRunView> {
  const history = z.object({ runs: z.array(scheduleRunView) });
  let latest = run;
  while (isOpen(latest)) {
    await passed(askAgainMs);
    const { runs } = await request('GET', `/${run.scheduleId}/runs`, history);
    const found = runs.find(({ id }) => id === run.id);
    if (!found) throw new LunaError('not_found', 'The run is not in the history any more.');
    latest = found;
  }
  return latest;
}

function isOpen({ status }: ScheduleRunView): boolean {
  return status === 'queued' || status === 'running';
}

function timed(command: Command): Command {
  return command
    .option('--cron <expression>', 'minute, hour, day, month, weekday, such as "0 9 * * 1-5"')
    .option('--timezone <name>', 'of --cron, such as Europe/Berlin (default: luna.timezone)')
    .option('--at <time>', 'once, such as 2030-06-01T18:00:00+02:00')
    .option('--every <time>', 'again and again, such as 90s, 15m, 6h or 1d')
    .option('--from <time>', 'when --every begins (default: now)');
}

function act(options: HomeOptions, work: (request: Request) => Promise<void>): Promise<void> {
  return actBelow(root, options, work);
}

function pathOf(name: string): string {
  if (name === '') throw new LunaError('invalid_input', 'Name the schedule. "luna schedule list" lists them.');
  return `/${encodeURIComponent(name)}`;
}

function rowOf(schedule: ScheduleView): string[] {
  const { name, when, next, enabled, lastRun } = schedule;
  const last = lastRun === undefined ? '-' : `${lastRun.status} ${timeText(lastRun.endedAt ?? lastRun.createdAt)}`;
  return [name, whenText(when), next ?? (enabled ? 'over' : 'off'), last, doesText(schedule)];
}

function doesText({ action }: ScheduleView): string {
  return action.tool === undefined ? `asks ${action.agent}` : `calls ${action.tool}`;
}

function describe(schedule: ScheduleView): string {
  const { name, id, when, next, enabled, missed, overlap, time_limit_seconds, hub, preset, madeBy } = schedule;
  const rows = [
    ['Id', id],
    ['Does', doesText(schedule)],
    ['When', whenText(when)],
    ['Next', next ?? (enabled ? 'not any more' : 'it is off')],
    ['Rules', `missed: ${missed}, overlap: ${overlap}, time limit: ${time_limit_seconds} s`],
    ...(hub === undefined ? [] : [['Hub', hub]]),
    ...(preset === undefined ? [] : [['Preset', preset]]),
    ['Made by', [madeBy.kind, madeBy.name].filter(Boolean).join(' ')],
  ];
  return `${name}\n${table(rows.map(([label = '', value = '']) => [`  ${label}`, value]))}\n`;
}

function runLine({ status, origin, createdAt, times, errorMessage }: ScheduleRunView): string {
  const many = times > 1 ? ` (${times} times)` : '';
  const why = errorMessage === undefined ? '' : `: ${errorMessage}`;
  return `${timeText(createdAt)}  ${status}${many}${origin === 'time' ? '' : `, ${origin}`}${why}`;
}

function timeText(time: number): string {
  return new Date(time).toISOString().replace(/\.\d+Z$/, 'Z');
}
