import { stripVTControlCharacters } from 'node:util';

/** A term of a help text, such as an option, with what is said of it. */
export interface HelpEntry {
  readonly term: string;
  readonly text: string;
  /** Terms that stand indented below it, as argparse shows subcommands. */
  readonly below: readonly HelpEntry[];
}

export interface HelpSection {
  /** In small letters and without the colon: `options`. Empty for what stands before the first heading. */
  readonly title: string;
  readonly lines: readonly string[];
}

/** Cuts a help text at its headings: `Options:`, `CORE COMMANDS`, `usage: …`. */
export function helpSections(help: string): HelpSection[] {
  const sections: { title: string; lines: string[] }[] = [{ title: '', lines: [] }];
  for (const raw of plain(help).split('\n')) {
    const line = raw.trimEnd();
    const usage = /^usage:\s*(.*)$/i.exec(line);
    const heading = /^([A-Za-z][^:]{0,60}):$/.exec(line) ?? /^([A-Z][A-Z ]{2,40})$/.exec(line);
    if (usage) sections.push({ title: 'usage', lines: usage[1] ? [usage[1]] : [] });
    else if (heading?.[1]) sections.push({ title: heading[1].trim().toLowerCase(), lines: [] });
    else sections.at(-1)?.lines.push(line);
  }
  return sections;
}

/** The entries of a section: a term, two spaces or a line break, and its text. */
export function helpEntries(lines: readonly string[]): HelpEntry[] {
  const indents = lines.filter((line) => /^\s+\S/.test(line)).map(indentOf);
  // Short options are often indented less than those that have only a long name.
  const options = lines.filter((line) => /^\s+-/.test(line)).map(indentOf);
  const least = Math.min(...indents);
  const entries: { term: string; text: string; rest: string[] }[] = [];
  for (const line of lines) {
    if (line.trim() === '') continue;
    const indent = indentOf(line);
    if (indent === 0 && !/^-/.test(line)) {
      entries.at(-1)?.rest.push('');
      continue;
    }
    const isOption = /^\s*-/.test(line) && options.includes(indent) && indent <= least + 6;
    if (indent === least || isOption) {
      const [, term = '', text = ''] = /^\s*(\S.*?)(?:\s{2,}(.*))?$/.exec(line) ?? [];
      entries.push({ term: term.replace(/:$/, ''), text, rest: [] });
    } else entries.at(-1)?.rest.push(line);
  }
  return entries.map(({ term, text, rest }) => ({
    term,
    text: [text, ...rest.map((line) => line.trim())].filter(Boolean).join(' '),
    below: rest.length > 0 && /^[{<\w[]/.test(term) && text === '' ? helpEntries(rest) : [],
  }));
}

/** Without colours, bold type made of backspaces, and tabs. */
function plain(help: string): string {
  return stripVTControlCharacters(help).replace(/.[\b]/g, '').replaceAll('\t', '    ').replaceAll('\r', '');
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}
