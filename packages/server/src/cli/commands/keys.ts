import { readFile } from 'node:fs/promises';
import { LunaError, messageOf } from '@luna/core/errors';
import { environmentKeyView, mergedKeysView, requiredKeyView } from '@luna/core/views';
import { Command } from 'commander';
import { z } from 'zod';
import { counted, print, run, table } from '../output.ts';
import { askOrOpen } from '../running-luna.ts';
import { readSecret, readStandardInput } from '../secret-input.ts';
import { type HomeOptions, subcommand } from '../subcommand.ts';

const listOfKeys = z.object({ keys: z.array(environmentKeyView) });
const listOfRequired = z.object({ keys: z.array(requiredKeyView) });

export function keysCommand(): Command {
  const command = new Command('keys').description('List and change the environment keys of a home (.env).');
  for (const make of [list, required, set, remove, upload]) command.addCommand(make());
  return command;
}

function list(): Command {
  return subcommand('list', 'List the keys. Values are covered.').action((options: HomeOptions) =>
    run(options.json, async () => {
      const { keys } = await askOrOpen(options.home, { path: '/keys/list', schema: listOfKeys }, async (luna) => ({
        keys: await luna.keys.list(),
      }));
      print(keys, options.json, (views) =>
        table([
          ['KEY', 'VALUE', 'USED BY'],
          ...views.map(({ name, masked, usedBy, keptBy }) => [name, masked, usedBy.join(', ') || keptText(keptBy)]),
        ]),
      );
    }),
  );
}

function required(): Command {
  return subcommand(
    'required',
    'List the keys that sources cannot do without. Exit code 1 when one is missing.',
  ).action((options: HomeOptions) =>
    run(options.json, async () => {
      const { keys } = await askOrOpen(
        options.home,
        { path: '/keys/required', schema: listOfRequired },
        async (luna) => ({
          keys: await luna.keys.required(),
        }),
      );
      if (keys.some(({ missing }) => missing)) process.exitCode = 1;
      print(keys, options.json, (views) =>
        views.length === 0
          ? 'No source needs a key.'
          : table([
              ['KEY', '', 'WANTED BY'],
              ...views.map(({ name, missing, wantedBy }) => [
                name,
                missing ? 'missing' : 'set',
                wantedBy.map(({ source }) => source).join(', '),
              ]),
            ]),
      );
    }),
  );
}

function set(): Command {
  return subcommand('set', 'Set a key. The value is asked for, or read from standard input.')
    .argument('<name>', 'for example GITHUB_TOKEN')
    .action((name: string, options: HomeOptions) =>
      run(options.json, async () => {
        const value = await readSecret(`Value of ${name}`);
        await askOrOpen(options.home, { path: '/keys/set', schema: z.void(), body: { name, value } }, (luna) =>
          luna.keys.set(name, value),
        );
        print({ set: name }, options.json, () => `${name} is set.`);
      }),
    );
}

function remove(): Command {
  return subcommand('delete', 'Delete a key.')
    .argument('<name>', 'the key')
    .action((name: string, options: HomeOptions) =>
      run(options.json, async () => {
        await askOrOpen(options.home, { path: '/keys/delete', schema: z.void(), body: { name } }, (luna) =>
          luna.keys.delete(name),
        );
        print({ deleted: name }, options.json, () => `${name} is deleted.`);
      }),
    );
}

function upload(): Command {
  return subcommand('upload', 'Merge the keys of another .env file.')
    .argument('<file>', 'the file, or - for standard input')
    .action((file: string, options: HomeOptions) =>
      run(options.json, async () => {
        const text = file === '-' ? await readStandardInput() : await textOf(file);
        const outcome = await askOrOpen(
          options.home,
          { path: '/keys/upload-env', schema: mergedKeysView, body: { text } },
          (luna) => luna.keys.merge(text),
        );
        print(outcome, options.json, (view) =>
          [
            `Set: ${view.set.join(', ') || 'nothing'}`,
            ...(view.unchanged.length > 0 ? [`${counted(view.unchanged.length, 'key')} had this value already.`] : []),
            ...view.skipped.map(({ name, reason }) => `Left out ${name}: ${reason}`),
          ].join('\n'),
        );
      }),
    );
}

function keptText(keptBy: 'luna' | 'hub' | undefined): string {
  return keptBy === undefined ? '' : keptBy === 'luna' ? '(Luna itself)' : '(a hub)';
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (thrown) {
    throw new LunaError('invalid_input', `Cannot read ${file}: ${messageOf(thrown)}`, { cause: thrown });
  }
}
