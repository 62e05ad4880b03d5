import { type CommandWords, choicesOf } from './command-words.ts';

/** Completions for zsh, with what each word means. */
export function zshScript(commands: readonly CommandWords[]): string {
  const cases = commands.map(({ path, commands: below, arguments: arguments_, options }) => {
    const words = [
      ...below.map(({ name, description }) => described(name, description)),
      ...arguments_.map((word) => described(word, '')),
      ...options.flatMap(({ flags, description }) => flags.map((flag) => described(flag, description))),
    ];
    return `    ('${path}') words_of=(${words.join(' ')}) ;;`;
  });
  const known = commands.filter(({ path }) => path !== '').map(({ path }) => `'${path}'`);
  const taking = (kinds: readonly string[]) => {
    const flags = commands.flatMap(({ options }) =>
      options.filter(({ value }) => kinds.includes(value)).flatMap(({ flags: own }) => own),
    );
    return flags.length > 0 ? `(${[...new Set(flags)].join('|')})` : "('')";
  };
  return `#compdef luna
# Completions of luna for zsh. Written by "luna completion zsh".
_luna() {
  local at='' word index
  local -a words_of
  case "\${words[CURRENT-1]}" in
    ${taking(['file'])} _files; return ;;
    ${taking(['folder'])} _files -/; return ;;
${choicesOf(commands)
  .map(({ flag, choices }) => `    (${flag}) compadd ${choices.join(' ')}; return ;;`)
  .join('\n')}
    ${taking(['text'])} return ;;
  esac
  for ((index = 2; index < CURRENT; index++)); do
    word="\${words[index]}"
    case "\${at:+$at }$word" in
      (${known.join('|')}) at="\${at:+$at }$word" ;;
    esac
  done
  case "$at" in
${cases.join('\n')}
  esac
  _describe 'luna' words_of || _files
}
if [ "$funcstack[1]" = '_luna' ]; then _luna "$@"; else compdef _luna luna; fi
`;
}

/** A word with its meaning, as `_describe` wants them. */
function described(word: string, meaning: string): string {
  const inert = meaning.replaceAll("'", "'\\''");
  return inert === '' ? `'${word}'` : `'${word.replaceAll(':', '\\:')}:${inert}'`;
}
