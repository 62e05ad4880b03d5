import type { CommandWords } from './command-words.ts';

/** Completions for fish, with what each word means. */
export function fishScript(commands: readonly CommandWords[]): string {
  const lines = commands.flatMap(({ path, commands: below, arguments: arguments_, options }) => {
    const at = path === '' ? "'__luna_at'" : `'__luna_at ${path}'`;
    return [
      ...below.map(({ name, description }) => `complete -c luna -n ${at} -f -a ${name} -d ${quoted(description)}`),
      ...arguments_.map((word) => `complete -c luna -n ${at} -f -a ${word}`),
      ...options.map(({ flags, description, value, choices }) => {
        const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
        const follows = {
          none: '',
          text: ' -x',
          file: ' -r -F',
          folder: " -x -a '(__fish_complete_directories)'",
          choice: ` -x -a ${quoted(choices.join(' '))}`,
        }[value];
        return `complete -c luna -n ${at} ${names.join(' ')}${follows} -d ${quoted(description)}`;
      }),
    ];
  });
  const known = commands.filter(({ path }) => path !== '').map(({ path }) => `'${path}'`);
  return `# Completions of luna for fish. Written by "luna completion fish".
function __luna_path
  set -l path ''
  for word in (commandline -opc)[2..-1]
    set -l longer (string trim "$path $word")
    if contains -- $longer ${known.join(' ')}
      set path $longer
    end
  end
  echo $path
end
function __luna_at
  test (__luna_path) = "$argv"
end
${lines.join('\n')}
`;
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
