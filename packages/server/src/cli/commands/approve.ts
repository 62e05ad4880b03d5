import { type PendingToolView, pendingToolView } from '@luna/core/control';
import { Command } from 'commander';
import { z } from 'zod';
import { print, run } from '../output.ts';
import { ask, findRunning } from '../running-luna.ts';

const answer = z.object({ pending: z.array(pendingToolView) });
/** A schema can be long; so much of a value is enough to recognise it. */
const maxShown = 400;

interface Options {
  readonly home?: string;
  readonly json?: boolean;
  readonly reject?: boolean;
}

export function approveCommand(): Command {
  return new Command('approve')
    .description('Show which tools of MCP servers have changed and wait for your approval, and approve them.')
    .argument('[server]', 'the server; without it, what waits is shown')
    .argument('[tool]', 'one tool (default: all that wait, of the server)')
    .option('--reject', 'keep the tools held back instead')
    .option('--home <dir>', 'the home (default: LUNA_HOME, or the folder here)')
    .option('--json', 'print JSON')
    .action((server: string | undefined, tool: string | undefined, options: Options) =>
      run(options.json, async () => {
        const luna = await findRunning(options.home);
        if (server === undefined) {
          const { pending } = await ask(luna, 'GET', '/pinned-tools', answer);
          return print(pending, options.json, listing);
        }
        const path = `/pinned-tools/${options.reject ? 'reject' : 'approve'}`;
        const { pending } = await ask(luna, 'POST', path, answer, { server, tool });
        const what = tool === undefined ? `All changes of "${server}"` : `"${tool}" of "${server}"`;
        print(pending, options.json, () => `${what}: ${options.reject ? 'rejected' : 'approved'}.`);
      }),
    );
}

function listing(pending: readonly PendingToolView[]): string {
  if (pending.length === 0) return 'No tool waits for approval.';
  const parts = pending.map(({ server, tool, isNew, isRejected, differences }) => {
    const what = isNew ? 'is new' : 'has changed';
    const lines = differences.flatMap(({ field, before, after }) => [
      `  ${field}`,
      ...(before === undefined ? [] : [`    - ${shown(before)}`]),
      ...(after === undefined ? [] : [`    + ${shown(after)}`]),
    ]);
    return [`${server}: ${tool} ${what}${isRejected ? ' (rejected)' : ''}`, ...lines].join('\n');
  });
  return [...parts, 'Approve with: luna approve SERVER [TOOL]'].join('\n\n');
}

/** What a server says is data: nothing of it may steer the terminal. */
function shown(value: unknown): string {
  const text = JSON.stringify(value).replace(/[\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '?');
  return text.length > maxShown ? `${text.slice(0, maxShown)}…` : text;
}
