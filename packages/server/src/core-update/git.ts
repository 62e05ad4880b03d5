import { text } from 'node:stream/consumers';
import { LunaError } from '@luna/core/errors';
import { runCommand } from '@luna/core/updates';
import { type StepContext, stepLimitMs } from './staging.ts';

/** Runs git in a checkout; returns what it printed, without the line end. */
export type Git = (...args: string[]) => Promise<string>;

/** git as the person has it, but for hooks, which are for people who commit. */
export function gitIn(root: string, { signal, owner }: Pick<StepContext, 'signal' | 'owner'> = {}): Git {
  const env = { GIT_TERMINAL_PROMPT: '0', GIT_ASKPASS: 'false', SSH_ASKPASS: 'false' };
  return async (...args) => {
    let output = '';
    await runCommand({
      command: 'git',
      args: ['-c', 'core.hooksPath=/dev/null', ...args],
      cwd: root,
      env,
      owner,
      signal,
      limitMs: stepLimitMs,
      onOutput: async (stream) => {
        output = (await text(stream)).trimEnd();
      },
    });
    return output;
  };
}

/** Throws `conflict` for a checkout in which somebody works. */
export async function assertClean(git: Git, root: string): Promise<void> {
  const changes = await git('status', '--porcelain', '--untracked-files=no');
  if (changes === '') return;
  throw new LunaError(
    'conflict',
    `The checkout ${root} has changes that are not committed (${changes.split('\n')[0]?.trim()}), so that Luna does not update it. Commit or discard them, then try again.`,
  );
}
