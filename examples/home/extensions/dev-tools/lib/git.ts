import { runCommand } from './command.ts';

/** What could make git run something of a repository's own is switched off. */
const safe = [
  '-c',
  'core.hooksPath=/dev/null',
  '-c',
  'core.fsmonitor=false',
  '-c',
  'protocol.allow=never',
  '-c',
  'protocol.https.allow=always',
  '-c',
  'credential.helper=',
  '-c',
  'core.sshCommand=false',
  '-c',
  'diff.external=',
  '-c',
  'core.pager=cat',
];

/** Runs git in a folder; throws with what it said when it fails. `extra`: settings of one command. */
export async function git(
  cwd: string,
  args: readonly string[],
  signal?: AbortSignal,
  extra: readonly string[] = [],
): Promise<string> {
  const env = {
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
  };
  const { code, output, errors, endedBy } = await runCommand('git', [...safe, ...extra, ...args], {
    cwd,
    env,
    signal,
    timeoutMs: 120_000,
  });
  if (endedBy !== undefined) throw new Error(`git was ended: ${endedBy}.`);
  if (code !== 0) throw new Error(`git ${args[0]}: ${errors.trim() || output.trim() || `exit code ${code}`}`);
  return output;
}

/** A name of a branch or a commit that git cannot take for an option. */
export function revision(name: string): string {
  if (!/^[A-Za-z0-9][\w./@^~-]*$/.test(name) || name.includes('..'))
    throw new Error(`"${name}" is no name of a branch or a commit.`);
  return name;
}
