import { Argument, Command } from 'commander';
import { run } from '../output.ts';
import { bashScript } from './completion/bash.ts';
import { type CommandWords, wordsOf } from './completion/command-words.ts';
import { fishScript } from './completion/fish.ts';
import { zshScript } from './completion/zsh.ts';

const scripts: Readonly<Record<string, (commands: readonly CommandWords[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

export function completionCommand(): Command {
  const command = new Command('completion')
    .description('Print a script by which a shell completes the commands and options of luna.')
    .addArgument(new Argument('<shell>', 'the shell').choices(Object.keys(scripts)))
    .option('--json', 'print the commands and their words as JSON')
    .addHelpText(
      'after',
      `
In a shell of your own:
  bash   luna completion bash > ~/.local/share/bash-completion/completions/luna
  zsh    luna completion zsh > ~/.zfunc/_luna      (with fpath+=~/.zfunc before compinit)
  fish   luna completion fish > ~/.config/fish/completions/luna.fish`,
    );
  return command.action((shell: string, options: { json?: boolean }) =>
    run(options.json, async () => {
      const words = wordsOf(command.parent ?? command);
      process.stdout.write(options.json ? `${JSON.stringify(words, null, 2)}\n` : (scripts[shell]?.(words) ?? ''));
    }),
  );
}
