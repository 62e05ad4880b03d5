import { setTimeout as sleep } from 'node:timers/promises';
import { LunaError, toLunaError } from '@luna/core/errors';
import { type CurrentQueueView, currentQueueView, queueProgress, updateQueueView } from '@luna/core/views';
import { Command } from 'commander';
import { z } from 'zod';
import { type CoreChangeView, coreChangeView } from '../../core-update/views.ts';
import { print, run } from '../output.ts';
import { ask, findRunning, type RunningLuna } from '../running-luna.ts';
import { confirm } from './confirm.ts';
import { openEvents } from './ext/apply.ts';

interface Options {
  readonly home?: string;
  readonly json?: boolean;
  readonly yes?: boolean;
  readonly check?: boolean;
}

/** How long an update may take, and how often it is looked how far it is, in milliseconds. */
const limits = { updateMs: 1_800_000, lookMs: 300 };

export function updateCommand(): Command {
  return new Command('update')
    .description(
      'Show what a newer Luna brings, ask, and update the Luna that runs. One that does not start is taken back.',
    )
    .argument('[version]', 'of npm a version or a tag, of git a branch, a tag or a commit (default: the newest)')
    .option('--check', 'only show what it brings')
    .option('--yes', 'do not ask')
    .option('--home <dir>', 'the home (default: LUNA_HOME, or the folder here)')
    .option('--json', 'print JSON')
    .action((version: string | undefined, options: Options) => run(options.json, () => update(version, options)));
}

async function update(version: string | undefined, options: Options): Promise<void> {
  const luna = await findRunning(options.home);
  const change = await ask(luna, 'POST', '/core/inspect', coreChangeView, version === undefined ? {} : { version });
  if (options.check || change.isSame) return print({ change }, options.json, () => textOf(change));
  if (!options.json) process.stdout.write(`${textOf(change)}\n\n`);
  await confirm('Update Luna? It is started anew.', options);
  if ((await ask(luna, 'GET', '/queue/current', currentQueueView)).queue)
    throw new LunaError(
      'conflict',
      'Something waits in the update queue already. Apply it (luna ext queue --apply) or let go of it (luna ext queue --discard) first.',
    );
  const operations = [{ type: 'update_core', version: change.exact }];
  const { id } = await ask(luna, 'POST', '/queue/save', updateQueueView, { operations });
  const events = await openEvents(luna);
  if (!options.json) void tell(events.read());
  await ask(luna, 'POST', '/queue/apply', updateQueueView);
  const reason = await ended(luna, id).finally(() => events.close());
  if (reason !== undefined) {
    await ask(luna, 'DELETE', '/queue/current', z.undefined());
    throw new LunaError('process_failed', reason);
  }
  print({ change }, options.json, ({ change: { next } }) => `Luna ${next} runs at ${luna.url}.`);
}

/** Shows what is done, as long as the present Luna is there. */
async function tell(events: AsyncIterable<{ readonly type: string; readonly data: unknown }>): Promise<void> {
  try {
    for await (const { type, data } of events) {
      const progress = type === 'queue.progress' ? queueProgress.safeParse(data).data : undefined;
      if (progress?.phase === 'core') process.stderr.write(`  ${progress.message}\n`);
    }
  } catch {
    // It ends; the queue says how that went.
  }
}

/** Waits until the queue is done, over the end and the start of Luna. Returns why it failed, if it did. */
async function ended(luna: RunningLuna, id: string): Promise<string | undefined> {
  const deadline = performance.now() + limits.updateMs;
  for (;;) {
    await sleep(limits.lookMs);
    const current = await currentOf(luna);
    if (current?.queue?.id === id && (current.queue.status === 'failed' || current.queue.status === 'parked'))
      return current.queue.reason ?? 'The update failed.';
    if (current && !current.queue) return undefined;
    if (performance.now() > deadline)
      throw new LunaError('timeout', 'The update takes too long. "luna ext queue" shows how far it is.');
  }
}

async function currentOf(luna: RunningLuna): Promise<CurrentQueueView | undefined> {
  try {
    return await ask(luna, 'GET', '/queue/current', currentQueueView);
  } catch (thrown) {
    // It ends, or starts.
    if (toLunaError(thrown).code === 'not_running') return undefined;
    throw thrown;
  }
}

function textOf({ kind, root, present, next, exact, isSame, changes }: CoreChangeView): string {
  if (isSame) return `Luna ${present} in ${root} is the newest.`;
  const revision = kind === 'git' ? ` (${exact.slice(0, 12)})` : '';
  return [`Luna ${present} in ${root} becomes ${next}${revision}.`, ...changes.map((change) => `  ${change}`)].join(
    '\n',
  );
}
