import { toLunaError } from '@luna/core/errors';

/** Prints a result: as JSON where that was asked for, otherwise as the text made by `text`. */
export function print<Value>(value: Value, json: boolean | undefined, text: (value: Value) => string): void {
  process.stdout.write(`${json ? JSON.stringify(value, null, 2) : text(value)}\n`);
}

/**
 * Runs a command. An error is one line on standard error (or JSON) and exit code 1; a stack says nothing to the person
 * who typed the command.
 */
export async function run(json: boolean | undefined, command: () => Promise<void>): Promise<void> {
  try {
    await command();
  } catch (thrown) {
    const { code, message, details } = toLunaError(thrown);
    process.stderr.write(json ? `${JSON.stringify({ error: { code, message, details } })}\n` : `luna: ${message}\n`);
    process.exitCode = 1;
  }
}

/** `1 tool`, `2 tools`. */
export function counted(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? '' : 's'}`;
}

/** Columns, each as wide as its widest cell. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  }
  return rows
    .map((row) =>
      row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))).join('  '),
    )
    .join('\n');
}
