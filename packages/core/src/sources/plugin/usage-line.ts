import { type HelpSection, helpEntries } from './help-sections.ts';

/** What the usage line of a program tells. */
export interface Usage {
  /** Positional arguments in their order. */
  readonly positionals: readonly { name: string; required: boolean; list: boolean; choices?: string[] }[];
  /** Options outside of brackets: `--to`. */
  readonly required: readonly string[];
  /** Options in brackets, as they stand there: `--out FILE`. */
  readonly optional: readonly string[];
  /** The words of `{add,remove} …`, by which argparse tells subcommands. */
  readonly commands: readonly string[];
  /** A command has to follow. */
  readonly takesCommand: boolean;
}

/** Words that stand for options or commands rather than for an argument. */
const placeholder = /^(?:options?|flags?|commands?|subcommands?|args|arguments)$/i;

/** Reads the usage line. `path` is the words of the command that was asked. */
export function parseUsage(sections: readonly HelpSection[], path: readonly string[]): Usage {
  const section = sections.find(({ title, lines }) => title === 'usage' && lines.some((line) => line.trim() !== ''));
  const words = wordsOf(usageText(section?.lines ?? []));
  const described = argumentsIn(sections);
  const usage = {
    positionals: [] as { name: string; required: boolean; list: boolean; choices?: string[] }[],
    required: [] as string[],
    optional: [] as string[],
    commands: [] as string[],
    takesCommand: false,
  };
  for (let at = skipProgram(words, path); at < words.length; at++) {
    const word = words[at] ?? '';
    const next = words[at + 1] ?? '';
    if (/^[|-]/.test(word)) {
      if (!word.startsWith('-') || word === '-' || word === '--') continue;
      usage.required.push(word.split('=')[0] ?? word);
      if (!word.includes('=') && !next.startsWith('-') && !next.startsWith('[') && next !== '') at++;
      continue;
    }
    const inner = word
      .replace(/\.\.\.$/, '')
      .replace(/^[[<({]+|[\]>)}]+$/g, '')
      .replace(/\.\.\.$/, '')
      .trim();
    if (/^-/.test(inner)) usage.optional.push(...word.replace(/^\[|\](?:\.\.\.)?$/g, '').split(' | '));
    if (/^-/.test(inner) || inner === '') continue;
    const braces = /^\[?\{([^}]+)\}\]?$/.exec(word)?.[1]?.split(',');
    const isArgument = described.has(inner.toLowerCase());
    if (!isArgument && (placeholder.test(inner.replace(/[>\]].*$/, '')) || (next === '...' && !braces))) {
      if (/command/i.test(inner) || next === '...') usage.takesCommand = true;
      continue;
    }
    if (braces && next === '...') {
      usage.commands.push(...braces);
      usage.takesCommand = true;
      continue;
    }
    const name = inner.split(/[\s|]/)[0] ?? inner;
    const clean = name.replace(/[^\w-]/g, '');
    if (clean === '') continue;
    // argparse writes one or more as `name [name ...]`.
    const again = next.startsWith(`[${name}`) && next.endsWith('...]');
    usage.positionals.push({
      name: braces ? `choice${usage.positionals.length + 1}` : clean,
      required: !word.startsWith('['),
      list: again || word.includes('...'),
      ...(braces && { choices: braces }),
    });
    if (again) at++;
  }
  return usage;
}

/** The names that a section of arguments explains: a word such as `<command>` is an argument where it is one of them. */
function argumentsIn(sections: readonly HelpSection[]): ReadonlySet<string> {
  const listed = sections.filter(({ title }) => /^(?:positional )?(?:args|arguments)$/.test(title));
  const terms = listed.flatMap(({ lines }) => helpEntries(lines).map(({ term }) => term));
  return new Set(terms.map((term) => (/[A-Za-z0-9][\w-]*/.exec(term)?.[0] ?? '').toLowerCase()));
}

/** The first usage with the lines that continue it. */
function usageText(lines: readonly string[]): string {
  const text: string[] = [];
  for (const line of lines) {
    if (line.trim() === '') {
      if (text.length > 0) break;
    } else if (text.length > 0 && !/^\s{6,}/.test(line)) break;
    else text.push(line.trim());
  }
  return text.join(' ');
}

/** Words, with what is in brackets kept together; an ellipsis after a bracket belongs to it. */
function wordsOf(text: string): string[] {
  const words: string[] = [];
  let depth = 0;
  let word = '';
  for (const letter of text) {
    if ('[{(<'.includes(letter)) depth++;
    if (']})>'.includes(letter)) depth--;
    if (letter === ' ' && depth <= 0) {
      if (word) words.push(word);
      word = '';
    } else word += letter;
  }
  if (word) words.push(word);
  return words;
}

/** Where the arguments begin: behind the program's name and the words of the command. */
function skipProgram(words: readonly string[], path: readonly string[]): number {
  if (path.length === 0) return /^(?:python3?|node|sh|bash)$/.test(words[0] ?? '') ? 2 : 1;
  const last = words.lastIndexOf(path.at(-1) ?? '');
  return last < 0 ? 1 : last + 1;
}
