#!/usr/bin/env node
import { relative } from 'node:path';
import { type Arguments, helpText, readArguments, type Template, UsageError } from './arguments.ts';
import { FolderError } from './home-folder.ts';
import { readVersions } from './home-package.ts';
import { shellWord } from './shell-word.ts';
import { writeHome } from './write-home.ts';

await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<void> {
  const json = argv.includes('--json');
  try {
    const given = readArguments(argv);
    if (given.help) return say(helpText);
    const choices = await choose(given);
    if (!choices) return say('Nothing was written.');
    const folder = await writeHome({ ...choices, versions: await readVersions(), packages: given.packages });
    say(json ? JSON.stringify({ folder, template: choices.template }) : nextSteps(folder));
  } catch (thrown) {
    if (!(thrown instanceof UsageError || thrown instanceof FolderError)) throw thrown;
    process.stderr.write(
      json ? `${JSON.stringify({ error: { message: thrown.message } })}\n` : `create-luna: ${thrown.message}\n`,
    );
    process.exitCode = 1;
  }
}

/** What was given, and for the rest what a person answers; undefined when they break off. */
async function choose({
  folder,
  template,
  yes,
  json,
}: Arguments): Promise<{ folder: string; template: Template } | undefined> {
  if (yes || json || !process.stdin.isTTY || !process.stdout.isTTY) {
    if (folder === undefined && !yes) throw new UsageError('Name a folder: npx create-luna my-luna');
    return { folder: folder ?? 'my-luna', template: template ?? 'minimal' };
  }
  const { isCancel, select, text } = await import('@clack/prompts');
  const place =
    folder ??
    (await text({
      message: 'Where should the home be?',
      initialValue: 'my-luna',
      validate: (given) => (given?.trim() ? undefined : 'Name a folder.'),
    }));
  if (isCancel(place)) return undefined;
  const kind =
    template ??
    (await select<Template>({
      message: 'What should be in it?',
      options: [
        { value: 'minimal', label: 'Minimal', hint: 'one small extension' },
        { value: 'full', label: 'Full', hint: 'also a database extension and an MCP server for files' },
      ],
    }));
  return isCancel(kind) ? undefined : { folder: place, template: kind };
}

function nextSteps(folder: string): string {
  const path = relative(process.cwd(), folder) || '.';
  return `Your home is in ${folder}.

Now run:

  cd ${shellWord(path)}
  npm install
  npm start
`;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
