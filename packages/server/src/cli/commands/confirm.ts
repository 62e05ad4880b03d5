import { createInterface } from 'node:readline/promises';
import { LunaError } from '@luna/core/errors';

/** Asks the person at the terminal. Throws `cancelled` for a no, and `invalid_input` where nobody can be asked. */
export async function confirm(
  question: string,
  { yes, json }: { readonly yes?: boolean; readonly json?: boolean },
): Promise<void> {
  if (yes) return;
  if (json || !process.stdin.isTTY || !process.stdout.isTTY)
    throw new LunaError('invalid_input', 'Nobody can be asked here. Say --yes if you want it.');
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question(`${question} [y/N] `);
  terminal.close();
  if (!/^y(?:es)?$/i.test(answer.trim())) throw new LunaError('cancelled', 'Nothing was changed.');
}
