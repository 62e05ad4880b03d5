import { placeholderPattern, placeholdersOf, variableOf } from './placeholders.ts';

/**
 * Commands that are one text, for `sh -c`. A value never becomes part of the text: each placeholder becomes a reference
 * to an environment variable, in quotes, and what a shell expands within quotes it does not read again.
 */

type Place = 'plain' | 'single' | 'double' | 'substitution';

/** Programs that take one of their arguments as a program, by what comes before that argument. */
const interpreters: readonly (readonly [program: RegExp, option: RegExp])[] = [
  [/^(?:ba|da|k|z|a)?sh$/, /^-\w*c$/],
  [/^(?:su|runuser)$/, /^(?:-c|--command)$/],
  [/^(?:python[\d.]*|psql)$/, /^-\w*c$/],
  [/^(?:node|perl|ruby)$/, /^(?:-\w*e|--eval)$/],
  [/^php$/, /^-r$/],
];

/** The text for `sh -c`. */
export function shellText(text: string): string {
  let result = '';
  const places: Place[] = ['plain'];
  for (let index = 0; index < text.length; ) {
    const place = places.at(-1) ?? 'plain';
    placeholderPattern.lastIndex = index;
    const placeholder = placeholderPattern.exec(text);
    const piece = placeholder ? referenceIn(place, placeholder[1] ?? '') : pieceAt(text, index, places);
    result += piece;
    index += placeholder ? placeholder[0].length : piece.length;
  }
  return result;
}

/** Why a value cannot be given to this text safely, if that is so. */
export function whyUnsafeText(text: string): string | undefined {
  const [first] = placeholdersOf(text);
  if (!first) return undefined;
  const variable = `"$${variableOf(first.field)}"`;
  if (placeholdersOf(text).some(({ forUrl }) => forUrl)) return 'a text for the shell cannot have {{… | url}}';
  if (/`|<<|\$\(\(/.test(text)) return `with backquotes, << or $((, write ${variable} instead of {{${first.field}}}`;
  if (
    /(?<![\w.-])(?:eval|ssh)\s/.test(text) ||
    /(?<![\w.-])(?:(?:ba|da|k|z|a)?sh|su|runuser)(?:\s+[^;&|]*)?\s(?:-\w*c|--command)\b/.test(text)
  )
    return `it hands text to a second shell: there, write ${variable} in single quotes instead of {{${first.field}}}`;
  return undefined;
}

/** Why a value cannot be given to this list of arguments safely, if that is so. */
export function whyUnsafeArguments(args: readonly string[]): string | undefined {
  for (const [index, arg] of args.entries()) {
    const [program = '', option = ''] = [args[index - 2]?.split('/').at(-1), args[index - 1]];
    const isProgram = interpreters.some(([name, before]) => name.test(program) && before.test(option));
    const [first] = placeholdersOf(arg);
    if (first && isProgram)
      return `an argument that "${program}" runs cannot have {{${first.field}}}: write "$${variableOf(first.field)}" there`;
  }
  return undefined;
}

function referenceIn(place: Place, field: string): string {
  const reference = `\${${variableOf(field)}}`;
  if (place === 'double') return reference;
  return place === 'single' ? `'"${reference}"'` : `"${reference}"`;
}

/** The next characters that belong together, after which the shell is in the place on top of `places`. */
function pieceAt(text: string, index: number, places: Place[]): string {
  const place = places.at(-1);
  const character = text[index] ?? '';
  if (place === 'single') {
    if (character === "'") places.pop();
    return character;
  }
  if (character === '\\') return text.slice(index, index + 2);
  if (character === '$' && text[index + 1] === '(') {
    places.push('substitution');
    return '$(';
  }
  if (character === '"') {
    if (place === 'double') places.pop();
    else places.push('double');
  } else if (place !== 'double') {
    if (character === "'") places.push('single');
    else if (character === '(') places.push('substitution');
    else if (character === ')' && place === 'substitution') places.pop();
    else if (character === '#' && /^$|[\s;&|(]/.test(text[index - 1] ?? ''))
      return /^[^\n]*/.exec(text.slice(index))?.[0] ?? character;
  }
  return character;
}
