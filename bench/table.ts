/** A table in Markdown, its columns padded so that it reads well in a terminal too. Numbers stand to the right. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(3, title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${widths.map((width, column) => (column === 0 ? (cells[column] ?? '').padEnd(width) : (cells[column] ?? '').padStart(width))).join(' | ')} |`;
  const rule = `|${widths.map((width, column) => (column === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}

const missing = '–';

/** A number with this many digits after the point and commas between thousands; a dash for none. */
export function number(value: number, digits = 0): string {
  return Number.isFinite(value)
    ? value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
    : missing;
}

export function percent(ratio: number): string {
  return Number.isFinite(ratio) ? `${number(ratio * 100, ratio < 0.1 ? 1 : 0)} %` : missing;
}

export function times(ratio: number): string {
  return Number.isFinite(ratio) ? `${number(ratio, ratio < 10 ? 2 : 1)} ×` : missing;
}
