/** What pino writes as numbers. */
const levels: Readonly<Record<number, string>> = {
  10: 'TRACE',
  20: 'DEBUG',
  30: 'INFO',
  40: 'WARN',
  50: 'ERROR',
  60: 'FATAL',
};

/** An entry of the log as a line for people. What is no entry comes back as it is. */
export function readableLine(line: string): string {
  const entry = entryOf(line);
  if (!entry) return inert(line);
  const { time, level, from, msg, server, stack, ...rest } = entry;
  const at = typeof time === 'number' || typeof time === 'string' ? new Date(time) : undefined;
  const when = at && !Number.isNaN(at.getTime()) ? at.toISOString().replace('T', ' ').slice(0, 19) : '';
  const facts = Object.entries(rest).map(([name, value]) => `${name}=${said(value)}`);
  const head = [when, (levels[Number(level)] ?? '').padEnd(5), said(from ?? server ?? '').padEnd(14)];
  const text = [...head, ...(msg === undefined ? [] : [said(msg)]), ...facts].filter((part) => part !== '').join(' ');
  const trace = typeof stack === 'string' ? stack.replaceAll(/^/gm, '    ') : undefined;
  return inert(trace === undefined ? text.trimEnd() : `${text.trimEnd()}\n${trace}`);
}

function entryOf(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function said(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** What sources print may hold anything, also what would command a terminal. */
function inert(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  return text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\ufffd');
}
