import { readFile } from 'node:fs/promises';
import { LunaError } from '@luna/core/errors';
import { type ToolCallAnswerView, toolCallAnswerView } from '@luna/core/views';
import { Command } from 'commander';
import { print, run } from '../output.ts';
import { ask, findRunning } from '../running-luna.ts';

export function callCommand(): Command {
  return new Command('call')
    .description('Call a tool of the Luna that runs on a home.')
    .argument('<tool>', 'the name of the tool, as "luna tools" shows it')
    .argument('[arguments]', 'the arguments as a JSON object, or @file to read them from a file', '{}')
    .option('--home <dir>', 'the home (default: LUNA_HOME, or the folder here)')
    .option('--hub <name>', 'call it as a client of this hub would')
    .option('--json', 'print the whole result as JSON')
    .addHelpText('after', '\nExample:\n  luna call text_count \'{"text":"How many words?"}\'')
    .action((tool: string, text: string, options: { home?: string; hub?: string; json?: boolean }) =>
      run(options.json, async () => {
        const args = parseArguments(text.startsWith('@') ? await readFile(text.slice(1), 'utf8') : text);
        const luna = await findRunning(options.home);
        const answer = await ask(luna, 'POST', '/tools/call', toolCallAnswerView, {
          name: tool,
          args,
          hub: options.hub,
        });
        print(answer, options.json, ({ result }) => result.content.map(describeBlock).join('\n'));
        if (answer.result.isError) process.exitCode = 2;
      }),
    );
}

function parseArguments(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch (thrown) {
    throw new LunaError('invalid_input', `The arguments are not valid JSON: ${text}`, { cause: thrown });
  }
  throw new LunaError(
    'invalid_input',
    `The arguments must be a JSON object, for example '{"name":"value"}', not: ${text}`,
  );
}

function describeBlock(block: ToolCallAnswerView['result']['content'][number]): string {
  if (block.type === 'text') return String(block.text);
  return `[${block.type}${'mimeType' in block ? ` ${String(block.mimeType)}` : ''}; --json shows it]`;
}
