import { hasWords } from './words.ts';

/** A line of a log as people read it. */
export interface LogEntry {
  readonly text: string;
  /** Left out for lines of programs, which say it in their own way or not at all. */
  readonly level?: LogLevel;
  /** Milliseconds since the epoch. */
  readonly time?: number;
  readonly from?: string;
  /** Further fields, as `name=value`. */
  readonly more?: string;
}

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
export type LogLevel = (typeof logLevels)[number];

/** Reads a line: Luna's own are JSON, what programs print is any text. */
export function logEntryOf(line: string): LogEntry {
  const fields = objectIn(line);
  if (!fields || typeof fields.msg !== 'string') return { text: line };
  const { level, time, from, msg, ...rest } = fields;
  const name = typeof level === 'number' ? logLevels[Math.floor(level / 10) - 1] : undefined;
  const more = Object.entries(rest).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return {
    text: msg,
    ...(name && { level: name }),
    ...(typeof time === 'number' && { time }),
    ...(typeof from === 'string' && { from }),
    ...(more.length > 0 && { more: more.join(' ') }),
  };
}

/** Whether the entry is as bad as this level or worse, and has all the words. A line without a level is of any. */
export function entryFits(entry: LogEntry, level: LogLevel | undefined, words: readonly string[]): boolean {
  if (level && entry.level && logLevels.indexOf(entry.level) < logLevels.indexOf(level)) return false;
  return hasWords(`${entry.from ?? ''} ${entry.text} ${entry.more ?? ''}`, words);
}

function objectIn(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    // A line that merely begins like JSON.
    return undefined;
  }
}
