import type { PluginParameter } from './description.ts';
import { type HelpEntry, type HelpSection, helpEntries, helpSections } from './help-sections.ts';
import { argumentName, choicesOf, parseOption, typeOf } from './option-lines.ts';
import { parseUsage, type Usage } from './usage-line.ts';

/** What one help text tells. */
export interface ParsedHelp {
  readonly description?: string;
  readonly parameters: readonly PluginParameter[];
  /** Subcommands, each with its line of description, and what stands between: `<name> [--loud]`. */
  readonly commands: readonly { name: string; description?: string; signature?: string }[];
}

/**
 * Reads the help of a program, or of one of its commands (`path`), as argparse, click, typer, commander, cobra and clap
 * write it.
 */
export function parseHelp(help: string, path: readonly string[] = []): ParsedHelp {
  const sections = helpSections(help);
  const usage = parseUsage(sections, path);
  const entries = sections
    .filter(({ title }) => title !== '' && title !== 'usage' && !/example|learn more|alias/.test(title))
    .map((section) => ({ title: section.title, entries: helpEntries(section.lines) }));
  const commands = new Map<string, Listed>();
  for (const section of entries) {
    for (const listed of commandsOf(section.title, section.entries, usage)) commands.set(listed.name, listed);
  }
  for (const name of usage.commands) if (!commands.has(name)) commands.set(name, { name });
  commands.delete('help');
  const all = entries.flatMap((section) => section.entries);
  const description = descriptionOf(sections);
  return {
    ...(description !== '' && { description }),
    parameters: [...positionalsOf(usage, all), ...optionsOf(usage, all)],
    commands: [...commands.values()],
  };
}

type Listed = ParsedHelp['commands'][number];

function commandsOf(title: string, entries: readonly HelpEntry[], usage: Usage): Listed[] {
  if (/commands?$/.test(title)) {
    const listed = entries.flatMap((entry) => (entry.below.length > 0 ? entry.below : [entry]));
    return listed.flatMap(commandOf);
  }
  // argparse: the choices, or the word for them, with the commands indented below.
  if (!usage.takesCommand || /option|flag/.test(title)) return [];
  return entries.flatMap((entry) => entry.below.flatMap(commandOf));
}

function commandOf({ term, text }: HelpEntry): Listed[] {
  const [, word, rest = ''] = /^([A-Za-z0-9][\w.:-]*)(?:\s+((?:[[<{-]|[A-Z][A-Z0-9_.-]*(?:\s|$)).*))?/.exec(term) ?? [];
  const name = word?.replace(/:$/, '');
  if (name === undefined) return [];
  return [{ name, ...(text !== '' && { description: text }), ...(rest !== '' && { signature: rest }) }];
}

function optionsOf(usage: Usage, entries: readonly HelpEntry[]): PluginParameter[] {
  const options = new Map<string, PluginParameter>();
  for (const entry of entries) {
    const option = parseOption(entry);
    if (!option || options.has(option.name)) continue;
    const names = namesIn(entry.term);
    options.set(option.name, {
      ...option,
      required: option.required || names.some((name) => usage.required.includes(name)),
    });
  }
  // What the usage alone tells of.
  const known = new Set(entries.flatMap(({ term }) => namesIn(term)));
  for (const term of usage.optional) {
    if (namesIn(term).some((name) => known.has(name))) continue;
    const option = parseOption({ term, text: '', below: [] });
    if (option && !options.has(option.name)) options.set(option.name, option);
  }
  return [...options.values()];
}

function namesIn(term: string): string[] {
  return term.match(/(?<![\w-])--?[A-Za-z0-9][\w.-]*/g) ?? [];
}

function positionalsOf(usage: Usage, entries: readonly HelpEntry[]): PluginParameter[] {
  return usage.positionals.map(({ name, required, list, choices }) => {
    const entry = entries.find(
      ({ term }) => nameOf(term) === name.toLowerCase() || (choices && term === `{${choices.join(',')}}`),
    );
    const found = choices ?? choicesOf('', entry?.text ?? '');
    return {
      name: argumentName(name).toLowerCase(),
      ...(entry && entry.text !== '' && { description: entry.text }),
      type: typeOf(/\b(INTEGER|FLOAT)\b/.exec(entry?.term ?? '')?.[1] ?? ''),
      ...(found && { choices: found }),
      required,
      list,
      together: false,
    };
  });
}

function nameOf(term: string): string {
  return (/[A-Za-z0-9][\w-]*/.exec(term)?.[0] ?? '').toLowerCase();
}

/** The paragraph about the program: before its usage, or behind it. */
function descriptionOf(sections: readonly HelpSection[]): string {
  const before = paragraph(sections[0]?.lines ?? []);
  if (before !== '') return before;
  const lines = sections.find(({ title }) => title === 'usage')?.lines ?? [];
  const blank = lines.findIndex((line, index) => index > 0 && line === '');
  return blank < 0 ? '' : paragraph(lines.slice(blank));
}

function paragraph(lines: readonly string[]): string {
  const start = lines.findIndex((line) => line.trim() !== '');
  if (start < 0) return '';
  const rest = lines.slice(start);
  const end = rest.findIndex((line) => line.trim() === '');
  return rest
    .slice(0, end < 0 ? rest.length : end)
    .map((line) => line.trim())
    .join(' ');
}
