import type { PluginParameter } from './description.ts';
import type { HelpEntry } from './help-sections.ts';

/** Makes a parameter of an entry such as `-s, --size SIZE  How large (default: 3)`; undefined when it is none. */
export function parseOption(entry: HelpEntry): PluginParameter | undefined {
  if (!entry.term.startsWith('-')) return undefined;
  const names = [...entry.term.matchAll(/(?:^|[\s,/|])(--?[A-Za-z0-9][\w.-]*)/g)].map(([, name]) =>
    (name ?? '').replace(/\.+$/, ''),
  );
  const option = names.find((name) => name.startsWith('--') && !name.startsWith('--no-')) ?? names[0];
  if (option === undefined || /^--?(?:h|help|V|version)$/.test(option)) return undefined;
  const metavar = metavarOf(entry.term);
  const choices = choicesOf(metavar, entry.text);
  // argparse with nargs=2: `--pair X Y`.
  const isSeveral = /^(?:[A-Z][A-Z0-9_-]*|<[^>\s]+>)(?: (?:[A-Z][A-Z0-9_-]*|<[^>\s]+>))+$/.test(metavar);
  const list =
    isSeveral || /\.\.\.|^(?:strings|ints|stringArray|stringSlice)\b/.test(metavar) || /\[?multiple\]?$/i.test(metavar);
  const type = metavar === '' ? 'flag' : typeOf(metavar);
  const off = type === 'flag' ? names.find((name) => name === option.replace(/^--/, '--no-')) : undefined;
  const given = defaultOf(entry.text);
  return {
    name: argumentName(option),
    option,
    ...(off !== undefined && { off }),
    ...(entry.text !== '' && { description: entry.text }),
    type,
    ...(choices && { choices }),
    ...(given !== undefined && type !== 'flag' && !list && { default: asType(given, type) }),
    required: /[[(]required[\])]|\[[^\]]*; ?required\]/i.test(entry.text),
    list,
    together: isSeveral || /\[\S+ \.\.\.\]|\S+ \.\.\.$/.test(metavar),
  };
}

/** The choices that stand in a value's placeholder (`{a,b}`, `[a|b]`) or in the text (`[possible values: a, b]`). */
export function choicesOf(metavar: string, text: string): string[] | undefined {
  const inMetavar =
    /^[<[]?\{([^}]+)\}/.exec(metavar)?.[1]?.split(',') ??
    /^[[<(]([^\]>)\s]+\|[^\]>)\s]+)[\]>)]/.exec(metavar)?.[1]?.split('|');
  if (inMetavar) return inMetavar.map((choice) => choice.trim());
  const inText = /[[(](?:possible values|choices): ([^\])]+?)(?:, default: [^\])]*)?[\])]/.exec(text)?.[1];
  return inText?.split(',').map((choice) => choice.trim().replace(/^"|"$/g, ''));
}

/** The name of an argument: `--dry-run` is `dry_run`. */
export function argumentName(option: string): string {
  return option
    .replace(/^-+/, '')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '');
}

/** The type by the word for a value: `INTEGER`, `<int>`, `NUM`. */
export function typeOf(metavar: string): 'string' | 'integer' | 'number' {
  const word = metavar.replace(/[^A-Za-z0-9].*$|^[<[=]+/g, '').toLowerCase();
  const bare =
    word === ''
      ? metavar
          .replace(/^[<[=]+/, '')
          .replace(/[^A-Za-z0-9].*$/, '')
          .toLowerCase()
      : word;
  if (/^(?:u?int(?:eger|s)?(?:8|16|32|64)?)$/.test(bare)) return 'integer';
  return /^(?:float(?:32|64)?|number)$/.test(bare) ? 'number' : 'string';
}

function metavarOf(term: string): string {
  const after = term.replace(/(?:^|(?:\s*[,/|]\s*))(--?(?:\[no-\])?[A-Za-z0-9][\w.-]*)/g, ' $1').trim();
  const last = after.split(/(?:^|\s)--?(?:\[no-\])?[A-Za-z0-9][\w.-]*/).at(-1) ?? '';
  return last.trim().replace(/^\[=/, '').replace(/^=/, '').trim();
}

function defaultOf(text: string): string | undefined {
  const match = /[[(](?:[^\])]*[;,] )?default:? ("?)([^\])";]+?)"?(?:[;,] [^\])]*)?[\])]/i.exec(text);
  const found = match?.[2]?.trim();
  // Several words without quotes say where a default comes from, and are none.
  if (match?.[1] === '' && found?.includes(' ')) return undefined;
  return found === undefined || found === 'None' || found === '' ? undefined : found;
}

function asType(text: string, type: string): string | number {
  return type !== 'string' && text !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
}
