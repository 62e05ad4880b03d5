import { z } from 'zod';

/** What people, programs and agents say of a schedule. Every default is here. */

/** Longest prompt, in characters. */
export const maxPromptLength = 32_000;
/** Longest JSON text of the arguments of a call, in characters. */
export const maxArgumentsLength = 64_000;

/** Names that mean something else where a schedule can be named. */
const reservedNames: readonly string[] = ['test', 'agents'];

export const scheduleName = z
  .string()
  .regex(
    /^[\p{L}\p{N}](?:[\p{L}\p{N} ._-]{0,62}[\p{L}\p{N}._-])?$/u,
    'use 1 to 64 letters, digits, spaces, ".", "_" and "-", starting with a letter or digit',
  )
  .refine((name) => !reservedNames.includes(name), { error: 'this name is kept for something else' });

const timezone = z
  .string()
  .max(64)
  .refine(isTimeZone, { error: 'use the name of a time zone such as "Europe/Berlin" or "UTC"' });

/** A call of a tool, or a prompt to an agent. */
export const scheduleAction = z
  .strictObject({
    tool: z.string().min(1).max(256).optional().describe('The tool to call.'),
    args: z
      .record(z.string(), z.unknown())
      .refine((args) => JSON.stringify(args).length <= maxArgumentsLength, {
        error: `are longer than ${maxArgumentsLength} characters as JSON`,
      })
      .optional()
      .describe('Its arguments.'),
    agent: z.string().min(1).max(256).optional().describe('Instead of a tool: the agent or preset to ask.'),
    prompt: z.string().min(1).max(maxPromptLength).optional().describe('What to ask it.'),
  })
  .superRefine(({ tool, args, agent, prompt }, context) => {
    const complain = (message: string) => context.addIssue({ code: 'custom', message });
    if ((tool === undefined) === (agent === undefined)) complain('give either "tool" or "agent"');
    else if (tool !== undefined && prompt !== undefined) complain('a tool takes "args", not "prompt"');
    else if (agent !== undefined && args !== undefined) complain('an agent takes "prompt", not "args"');
    else if (agent !== undefined && prompt === undefined) complain('say in "prompt" what to ask the agent');
  });

/** A cron expression, one time, or an interval. */
export const scheduleWhen = z
  .strictObject({
    cron: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .describe('Minute, hour, day, month, weekday, such as "0 9 * * 1-5"; with six parts the first are seconds.'),
    timezone: timezone
      .optional()
      .describe('Of "cron", and of an "at" without offset, such as "Europe/Berlin". Default: luna.timezone.'),
    at: z.iso
      .datetime({ offset: true, local: true, error: 'use a time such as 2026-12-24T18:00:00+01:00' })
      .optional()
      .describe('Once, at this time: 2026-12-24T18:00:00+01:00, or without offset in the time zone.'),
    every_seconds: z.int().min(1).max(31_536_000).optional().describe('Again and again after so many seconds.'),
    from: z.iso
      .datetime({ offset: true, error: 'use a time such as 2026-12-24T18:00:00Z' })
      .optional()
      .describe('When an interval begins. Default: now; it then runs first after one interval.'),
  })
  .superRefine((when, context) => {
    const complain = (message: string) => context.addIssue({ code: 'custom', message });
    const given = [when.cron, when.at, when.every_seconds].filter((one) => one !== undefined).length;
    if (given !== 1) complain('give one of "cron", "at" and "every_seconds"');
    else if (when.from !== undefined && when.every_seconds === undefined) complain('"from" belongs to "every_seconds"');
    else if (when.timezone !== undefined && when.every_seconds !== undefined)
      complain('an interval has no time zone; leave "timezone" out');
  });

const fields = {
  name: scheduleName.describe('A name that no other schedule has.'),
  action: scheduleAction.describe('What it does: {tool, args} or {agent, prompt}.'),
  when: scheduleWhen.describe('When: {cron, timezone}, {at} or {every_seconds}.'),
  enabled: z.boolean(),
  missed: z
    .enum(['skip', 'run_once'])
    .describe('What becomes of times that Luna missed. Default: skip; run_once for a schedule with "at".'),
  overlap: z
    .enum(['skip', 'queue', 'parallel'])
    .describe('What becomes of a time at which the last run has not ended.'),
  time_limit_seconds: z.int().min(1).max(86_400).describe('A run that takes longer is ended.'),
  hub: z.string().min(1).max(64).describe('Call as a client of this hub would: only what it shows.'),
  preset: z.string().min(1).max(256).describe('Call only what this preset of agents holds.'),
};

/** A whole schedule, as it comes in. */
export const scheduleDefinition = z.strictObject({
  name: fields.name,
  action: fields.action,
  when: fields.when,
  enabled: fields.enabled.default(true),
  missed: fields.missed.optional(),
  overlap: fields.overlap.default('skip'),
  time_limit_seconds: fields.time_limit_seconds.default(3_600),
  hub: fields.hub.optional(),
  preset: fields.preset.optional(),
});

/** What may be changed of a schedule. `null` takes a limit away. */
export const scheduleChange = z.strictObject({
  name: fields.name.optional(),
  action: fields.action.optional(),
  when: fields.when.optional(),
  enabled: fields.enabled.optional(),
  missed: fields.missed.optional(),
  overlap: fields.overlap.optional(),
  time_limit_seconds: fields.time_limit_seconds.optional(),
  hub: fields.hub.nullable().optional(),
  preset: fields.preset.nullable().optional(),
});

export type ScheduleAction = z.infer<typeof scheduleAction>;
export type ScheduleWhen = z.infer<typeof scheduleWhen>;
export type ScheduleDefinition = z.infer<typeof scheduleDefinition>;
export type NewSchedule = z.input<typeof scheduleDefinition>;
export type ScheduleChange = z.infer<typeof scheduleChange>;

/** Whether this machine knows a time zone of this name. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
