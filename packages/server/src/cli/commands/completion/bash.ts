import { type CommandWords, choicesOf } from './command-words.ts';

/** Completions for bash 3.2 and later: nothing of the package bash-completion is needed. */
export function bashScript(commands: readonly CommandWords[]): string {
  const cases = commands.map(({ path, commands: below, arguments: arguments_, options }) => {
    const words = [...below.map(({ name }) => name), ...arguments_, ...options.flatMap(({ flags }) => flags)].join(' ');
    return `    '${path}') words='${words}' ;;`;
  });
  const known = commands.filter(({ path }) => path !== '').map(({ path }) => `'${path}'`);
  const taking = (kinds: readonly string[]) => [
    ...new Set(
      commands.flatMap(({ options }) =>
        options.filter(({ value }) => kinds.includes(value)).flatMap(({ flags }) => flags),
      ),
    ),
  ];
  return `# Completions of luna for bash. Written by "luna completion bash".
_luna() {
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" path='' words='' word index
  case "$before" in
    ${patternOf(taking(['file']))}) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$current")); return ;;
    ${patternOf(taking(['folder']))}) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$current")); return ;;
${choicesOf(commands)
  .map(({ flag, choices }) => `    ${flag}) COMPREPLY=($(compgen -W '${choices.join(' ')}' -- "$current")); return ;;`)
  .join('\n')}
    ${patternOf(taking(['text']))}) COMPREPLY=(); return ;;
  esac
  for ((index = 1; index < COMP_CWORD; index++)); do
    word="\${COMP_WORDS[index]}"
    case "\${path:+$path }$word" in
      ${known.join(' | ')}) path="\${path:+$path }$word" ;;
    esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o bashdefault -o default -F _luna luna
`;
}

/** A pattern of `case`; where there is nothing, one that nothing matches. */
function patternOf(flags: readonly string[]): string {
  return flags.length > 0 ? flags.join(' | ') : "''";
}
