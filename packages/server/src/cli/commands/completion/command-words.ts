import type { Command } from 'commander';

/** What can be typed after one command. */
export interface CommandWords {
  /** Names from `luna` on, without it: `hub create`. Empty for luna itself. */
  readonly path: string;
  readonly description: string;
  readonly commands: readonly { readonly name: string; readonly description: string }[];
  /** Words that an argument of the command may be. */
  readonly arguments: readonly string[];
  readonly options: readonly {
    readonly flags: readonly string[];
    readonly description: string;
    readonly value: ValueKind;
    /** Where the value is one of these. */
    readonly choices: readonly string[];
  }[];
}

/** What follows an option. */
export type ValueKind = 'none' | 'folder' | 'file' | 'choice' | 'text';

/** Every command below one, itself first, as commander knows them. */
export function wordsOf(root: Command, path = ''): CommandWords[] {
  const help = { name: 'help', description: 'Show help' };
  const commands = root.commands.map((command) => ({
    name: command.name(),
    description: firstSentence(command.description()),
  }));
  const options = root.options.map((option) => ({
    flags: [option.short, option.long].filter((flag) => flag !== undefined && flag !== null),
    description: firstSentence(option.description),
    value: option.argChoices ? ('choice' as const) : valueKindOf(option.flags),
    choices: option.argChoices ?? [],
  }));
  const own: CommandWords = {
    path,
    description: firstSentence(root.description()),
    commands: commands.length > 0 ? [...commands, help] : [],
    arguments: root.registeredArguments.flatMap(({ argChoices = [] }) => argChoices),
    options: [...options, { flags: ['-h', '--help'], description: 'Show help', value: 'none', choices: [] }],
  };
  return [own, ...root.commands.flatMap((command) => wordsOf(command, `${path} ${command.name()}`.trim()))];
}

/** The options whose value is one of a few words. */
export function choicesOf(commands: readonly CommandWords[]): { flag: string; choices: readonly string[] }[] {
  const found = new Map<string, readonly string[]>();
  for (const { options } of commands)
    for (const { flags, choices } of options)
      if (choices.length > 0) for (const flag of flags) found.set(flag, choices);
  return [...found].map(([flag, choices]) => ({ flag, choices }));
}

function valueKindOf(flags: string): ValueKind {
  const [, name] = /[<[]([^>\]]+)[>\]]/.exec(flags) ?? [];
  if (name === undefined) return 'none';
  if (/^(?:dir|folder)/.test(name)) return 'folder';
  return /file|path/.test(name) ? 'file' : 'text';
}

/** Short enough for a list, and on one line. */
function firstSentence(text: string): string {
  return text.split(/(?<=[.:;])\s|\n|\s\(/, 1)[0]?.replace(/[.:;]$/, '') ?? '';
}
