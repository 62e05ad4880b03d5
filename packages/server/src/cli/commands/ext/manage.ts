import { readFile, stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { LunaError } from '@luna/core/errors';
import {
  currentQueueView,
  extensionDetailView,
  extensionView,
  type InspectionView,
  inspectionView,
  nameOf,
  type UpdateOperation,
} from '@luna/core/views';
import type { Command } from 'commander';
import { z } from 'zod';
import { counted, print, table } from '../../output.ts';
import { ask, type RunningLuna, upload } from '../../running-luna.ts';
import { act, subcommand } from '../../subcommand.ts';
import { confirm } from '../confirm.ts';
import { applyQueue, doOperations } from './apply.ts';
import { previewText } from './preview.ts';

interface Options {
  readonly home?: string;
  readonly json?: boolean;
  readonly yes?: boolean;
  readonly allowNew?: boolean;
  readonly name?: string;
  readonly source?: string;
}

const listed = z.object({ extensions: z.array(extensionView) });
const uploaded = z.object({ source: z.string(), bytes: z.number() });
const rolledBack = extensionDetailView.extend({ note: z.string().optional() });
const allowNewHelp = 'take it though it is younger than luna.min_release_age';
const sourceHelp = 'github:user/repo[:path], a git URL, npm:package[@version], or a zip file here';

/** Commands for the extensions of the Luna that runs. */
export function managingCommands(): Command[] {
  return [list(), add(), update(), remove(), rollback(), queue()];
}

function list(): Command {
  return subcommand('list', 'List the extensions.').action((options: Options) =>
    act(options, async (luna) => {
      const { extensions } = await ask(luna, 'GET', '/extensions', listed);
      print(extensions, options.json, (all) =>
        table([
          ['EXTENSION', 'VERSION', 'TOOLS', 'HEALTH', 'SOURCE'],
          ...all.map((one) => [
            one.name,
            one.pendingUpdate
              ? `${one.version ?? ''} (${one.pendingUpdate.version ?? 'newer'} ${one.pendingUpdate.state})`.trim()
              : (one.version ?? ''),
            String(one.toolCount),
            one.missingSecrets.length > 0
              ? `${one.health.status}, not set: ${one.missingSecrets.join(', ')}`
              : one.health.status,
            one.source ?? '',
          ]),
        ]),
      );
    }),
  );
}

function add(): Command {
  return subcommand('add', 'Show what an extension brings, ask, and install it.')
    .argument('<source>', sourceHelp)
    .option('--name <name>', 'what to call it here (default: the name that it has)')
    .option('--allow-new', allowNewHelp)
    .option('--yes', 'do not ask')
    .action((source: string, options: Options) =>
      act(options, async (luna) => {
        const shown = await inspect(luna, source, options.name);
        await agree([shown], options, 'Install it?');
        await carryOut(
          luna,
          options,
          [shown],
          [{ type: 'install', name: shown.name, digest: shown.digest, ...allowed(options) }],
        );
      }),
    );
}

function update(): Command {
  return subcommand(
    'update',
    'Fetch extensions anew from where they came from, show what changes, ask, and update them.',
  )
    .argument('[name]', 'the extension (default: all that came from elsewhere)')
    .option('--source <source>', `another source: ${sourceHelp}`)
    .option('--allow-new', allowNewHelp)
    .option('--yes', 'do not ask')
    .action((name: string | undefined, options: Options) =>
      act(options, async (luna) => {
        const shown: InspectionView[] = [];
        for (const one of await sourcesOf(luna, name, options.source)) {
          const found = await inspect(luna, one.source, one.name);
          if (found.installed?.isSame !== true) shown.push(found);
        }
        if (shown.length === 0) {
          print({ updated: [] }, options.json, () => 'Nothing has changed.');
          return;
        }
        await agree(shown, options, `Update ${counted(shown.length, 'extension')}?`);
        const operations = shown.map(({ name, digest }) => ({
          type: 'update' as const,
          name,
          digest,
          ...allowed(options),
        }));
        await carryOut(luna, options, shown, operations);
      }),
    );
}

function remove(): Command {
  return subcommand('remove', 'Remove an extension. It is kept for "luna ext rollback"; what it stored stays.')
    .argument('<name>', 'the extension')
    .option('--yes', 'do not ask')
    .action((name: string, options: Options) =>
      act(options, async (luna) => {
        const { toolCount } = await ask(luna, 'GET', `/extensions/${encodeURIComponent(name)}`, extensionDetailView);
        await confirm(`Remove "${name}" with ${counted(toolCount, 'tool')}?`, options);
        await carryOut(luna, options, [], [{ type: 'delete', name }]);
      }),
    );
}

function rollback(): Command {
  return subcommand('rollback', 'Bring the version of an extension back that was there before.')
    .argument('<name>', 'the extension')
    .action((name: string, options: Options) =>
      act(options, async (luna) => {
        const view = await ask(luna, 'POST', `/extensions/${encodeURIComponent(name)}/rollback`, rolledBack);
        print(view, options.json, ({ version, note }) =>
          [`"${name}" is ${version ?? 'what it was'} again.`, note].filter(Boolean).join('\n'),
        );
      }),
    );
}

function queue(): Command {
  return subcommand('queue', 'Show what waits to be installed, updated and removed.')
    .option('--apply', 'do it')
    .option('--discard', 'let go of it')
    .action((options: Options & { apply?: boolean; discard?: boolean }) =>
      act(options, async (luna) => {
        if (options.discard) await ask(luna, 'DELETE', '/queue/current', z.undefined());
        if (options.apply) await applyQueue(luna, teller(options));
        const view = await ask(luna, 'GET', '/queue/current', currentQueueView);
        print(view, options.json, ({ queue: waiting, last }) => {
          if (options.apply && last) return [last.outcome, last.reason].filter(Boolean).join(': ');
          if (!waiting) return 'Nothing waits.';
          const rows = waiting.operations.map((one) => [one.type, nameOf(one), one.state, one.error ?? '']);
          return [`${waiting.status}${waiting.reason ? `: ${waiting.reason}` : ''}`, table(rows)].join('\n');
        });
      }),
    );
}

async function inspect(luna: RunningLuna, source: string, name?: string): Promise<InspectionView> {
  const isZip = source.endsWith('.zip') && !/^[a-z+]+:/.test(source);
  const isFile = isZip && (await stat(source).catch(() => undefined))?.isFile() === true;
  if (isZip && !isFile) throw new LunaError('not_found', `There is no file ${resolve(source)}.`);
  const from = isFile
    ? (
        await upload(
          luna,
          `/extensions/upload?name=${encodeURIComponent(basename(source))}`,
          await readFile(resolve(source)),
          uploaded,
        )
      ).source
    : source;
  return ask(luna, 'POST', '/extensions/inspect', inspectionView, {
    source: from,
    ...(name !== undefined && { name }),
  });
}

async function sourcesOf(
  luna: RunningLuna,
  name: string | undefined,
  source: string | undefined,
): Promise<{ name: string; source: string }[]> {
  if (name === undefined) {
    if (source !== undefined) throw new LunaError('invalid_input', 'Name the extension that comes from this source.');
    const { extensions } = await ask(luna, 'GET', '/extensions', listed);
    return extensions.flatMap((one) => (isRemote(one.source) ? [{ name: one.name, source: one.source }] : []));
  }
  const extension = await ask(luna, 'GET', `/extensions/${encodeURIComponent(name)}`, extensionDetailView);
  const from = source ?? extension.source;
  if (source === undefined && !isRemote(from))
    throw new LunaError(
      'invalid_input',
      `"${name}" did not come from anywhere that can be asked again. Name a --source.`,
    );
  return [{ name, source: from ?? '' }];
}

function isRemote(source: string | undefined): source is string {
  return source !== undefined && /^(?:github:|npm:|[a-z]+:\/\/|[^/]+@)/.test(source);
}

async function agree(shown: readonly InspectionView[], options: Options, question: string): Promise<void> {
  if (!options.json) for (const one of shown) process.stdout.write(`${previewText(one)}\n\n`);
  const [refused] = shown.filter(({ refusals }) => refusals.length > 0);
  if (refused)
    throw new LunaError('invalid_input', `${refused.name} cannot be installed: ${refused.refusals.join(' ')}`);
  const [young] = shown.filter(({ tooNew }) => tooNew !== undefined);
  if (young && !options.allowNew)
    throw new LunaError('forbidden', `${young.name} is not taken yet. ${young.tooNew} Wait, or say --allow-new.`);
  await confirm(question, options);
}

function allowed({ allowNew }: Options): { allow_new?: true } {
  return allowNew ? { allow_new: true } : {};
}

async function carryOut(
  luna: RunningLuna,
  options: Options,
  shown: readonly InspectionView[],
  operations: readonly UpdateOperation[],
): Promise<void> {
  const outcome = await doOperations(luna, operations, teller(options));
  print({ shown, outcome }, options.json, () =>
    outcome.operations.map((one) => [`✓ ${one.type} ${nameOf(one)}`, one.note].filter(Boolean).join('\n  ')).join('\n'),
  );
}

function teller({ json }: Options): (line: string) => void {
  return (line) => {
    if (!json) process.stderr.write(`  ${line}\n`);
  };
}
