import { createInterface } from 'node:readline/promises';
import { LunaError } from '@luna/core/errors';
import { type PendingToolView, pendingToolView } from '@luna/core/views';
import { Command } from 'commander';
import { z } from 'zod';
import { counted, print, run } from '../output.ts';
import { ask, findRunning } from '../running-luna.ts';

const answer = z.object({ pending: z.array(pendingToolView) });
/** A schema can be long; so much of a value is enough to recognise it in a list. */
const maxListed = 400;

interface Options {
  readonly home?: string;
  readonly json?: boolean;
  readonly reject?: boolean;
  readonly yes?: boolean;
}

export function approveCommand(): Command {
  return new Command('approve')
    .description('Show which tools of MCP servers have changed and wait for your approval, and approve what is shown.')
    .argument('[server]', 'the server; without it, what waits is shown')
    .argument('[tool]', 'one tool (default: all that wait, of the server)')
    .option('--reject', 'keep the tools held back instead')
    .option('--yes', 'approve without a question; outside of a terminal none is asked')
    .option('--home <dir>', 'the home (default: LUNA_HOME, or the folder here)')
    .option('--json', 'print JSON')
    .action((server: string | undefined, tool: string | undefined, options: Options) =>
      run(options.json, async () => {
        const luna = await findRunning(options.home);
        const { pending } = await ask(luna, 'GET', '/pinned-tools', answer);
        if (server === undefined) return print(pending, options.json, listing);
        if (options.reject) {
          const after = await ask(luna, 'POST', '/pinned-tools/reject', answer, { server, tool });
          return print(after.pending, options.json, () => `${whatOf(server, tool)}: rejected.`);
        }
        const chosen = pending.filter((one) => one.server === server && isChosen(one, tool));
        if (chosen.length === 0)
          throw new LunaError('not_found', `${whatOf(server, tool)}: none waits for a decision.`);
        if (!options.json) process.stdout.write(`${chosen.map((one) => textOf(one)).join('\n\n')}\n\n`);
        if (!(await isMeant(chosen, options))) return print(pending, options.json, () => 'Nothing was approved.');
        const tools = chosen.map(({ tool: name, digest }) => ({ tool: name, digest }));
        const after = await ask(luna, 'POST', '/pinned-tools/approve', answer, { server, tools });
        print(
          { approved: chosen, pending: after.pending },
          options.json,
          () => `${counted(tools.length, 'tool')} of "${server}": approved.`,
        );
      }),
    );
}

/** What was rejected is approved by its name only. */
function isChosen(one: PendingToolView, tool: string | undefined): boolean {
  return tool === undefined ? !one.isRejected : one.tool === tool;
}

function whatOf(server: string, tool: string | undefined): string {
  return tool === undefined ? `Changes of "${server}"` : `"${tool}" of "${server}"`;
}

async function isMeant(chosen: readonly PendingToolView[], { yes, json }: Options): Promise<boolean> {
  if (yes || json || !process.stdin.isTTY || !process.stdout.isTTY) return true;
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test(
      (await terminal.question(`Approve ${counted(chosen.length, 'tool')} as shown? [y/N] `)).trim(),
    );
  } finally {
    terminal.close();
  }
}

function listing(pending: readonly PendingToolView[]): string {
  if (pending.length === 0) return 'No tool waits for approval.';
  const parts = pending.map((one) => textOf(one, maxListed));
  return [...parts, 'Approve with: luna approve SERVER [TOOL]'].join('\n\n');
}

function textOf({ server, tool, isNew, isRejected, differences }: PendingToolView, maxLength = Infinity): string {
  const lines = differences.flatMap(({ field, before, after }) => [
    `  ${inert(field)}`,
    ...(before === undefined ? [] : [`    - ${shown(before, maxLength)}`]),
    ...(after === undefined ? [] : [`    + ${shown(after, maxLength)}`]),
  ]);
  const what = `${isNew ? 'is new' : 'has changed'}${isRejected ? ' (rejected)' : ''}`;
  return [`${server}: ${inert(tool)} ${what}`, ...lines].join('\n');
}

function shown(value: unknown, maxLength: number): string {
  const text = inert(JSON.stringify(value));
  return text.length > maxLength ? `${text.slice(0, maxLength)}… (${text.length - maxLength} characters more)` : text;
}

/** What a server says is data: nothing of it may steer the terminal. */
function inert(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '?');
}
