/** How severe log messages are, least first (RFC 5424, as MCP names them). */
const levels = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'];

export function isLogLevel(value: unknown): value is string {
  return typeof value === 'string' && levels.includes(value);
}

/** Whether a message is one that was asked for. Who never said what it wants gets all that the server sends. */
export function isSevereEnough(level: unknown, least: string | undefined): boolean {
  return least === undefined || !isLogLevel(level) || levels.indexOf(level) >= levels.indexOf(least);
}

/** The least severe of several levels. */
export function leastSevere(wanted: Iterable<string | undefined>): string | undefined {
  const all = new Set(wanted);
  return levels.find((level) => all.has(level));
}
