import { LunaError } from '@luna/core/errors';
import type { ScheduleView } from '@luna/core/views';

/** What flags say of a schedule, in the form that the API takes. */

export interface ActionFlags {
  readonly tool?: string;
  readonly args?: string;
  readonly agent?: string;
  readonly prompt?: string;
}

export interface WhenFlags {
  readonly cron?: string;
  readonly timezone?: string;
  readonly at?: string;
  readonly every?: string;
  readonly from?: string;
}

/** Throws `invalid_input` for arguments that are no JSON object. */
export async function actionOf(flags: ActionFlags, read: (file: string) => Promise<string>): Promise<object> {
  const text = async (value: string) => (value.startsWith('@') ? read(value.slice(1)) : value);
  return {
    tool: flags.tool,
    ...(flags.args !== undefined && { args: objectOf(await text(flags.args)) }),
    agent: flags.agent,
    ...(flags.prompt !== undefined && { prompt: await text(flags.prompt) }),
  };
}

/** Throws `invalid_input` when no time is given, or an interval cannot be read. */
export function whenOf({ cron, timezone, at, every, from }: WhenFlags): object {
  if (cron === undefined && at === undefined && every === undefined)
    throw new LunaError('invalid_input', 'Say when: --cron "0 9 * * 1-5", --at 2030-06-01T18:00:00Z, or --every 15m.');
  return { cron, timezone, at, from, ...(every !== undefined && { every_seconds: secondsOf(every, '--every') }) };
}

const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** `90`, `90s`, `15m`, `6h`, `1d` in seconds. Throws `invalid_input`. */
export function secondsOf(text: string, flag: string): number {
  const [, number, unit = 's'] = /^(\d{1,9})([smhd])?$/.exec(text) ?? [];
  if (number === undefined)
    throw new LunaError('invalid_input', `${flag} takes a time such as 90s, 15m, 6h or 1d, not "${text}".`);
  return Number(number) * (units[unit] ?? 1);
}

/** When a schedule runs, for people. */
export function whenText({ cron, timezone, at, every_seconds = 0 }: ScheduleView['when']): string {
  if (cron !== undefined) return `${cron}${timezone === undefined || timezone === 'UTC' ? '' : ` ${timezone}`}`;
  if (at !== undefined) return `once ${at}`;
  const [unit, size] = Object.entries(units).findLast(([, seconds]) => every_seconds % seconds === 0) ?? ['s', 1];
  return `every ${every_seconds / size}${unit}`;
}

function objectOf(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch (thrown) {
    throw new LunaError('invalid_input', `--args is not valid JSON: ${text}`, { cause: thrown });
  }
  throw new LunaError('invalid_input', `--args must be a JSON object, for example '{"name":"value"}', not: ${text}`);
}
