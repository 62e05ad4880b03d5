import { readFile } from 'node:fs/promises';
import { LunaError } from '@luna/core/errors';
import { agentView, type PresetView, presetView } from '@luna/core/views';
import { Command } from 'commander';
import { z } from 'zod';
import { print, run, table } from '../output.ts';
import { ask, findRunning } from '../running-luna.ts';
import { type HomeOptions, subcommand } from '../subcommand.ts';
import { type AgentAnswer, askAgent } from './agent/ask-agent.ts';

const root = '/agents';

export function agentCommand(): Command {
  const command = new Command('agent').description('Use, list and set up the agents of the Luna that runs on a home.');
  for (const make of [list, runAgent, preset, key]) command.addCommand(make());
  return command;
}

function list(): Command {
  return subcommand('list', 'List the agents and presets.').action((options: HomeOptions) =>
    run(options.json, async () => {
      const luna = await findRunning(options.home);
      const { agents } = await ask(luna, 'GET', `${root}/built-in`, z.object({ agents: z.array(agentView) }));
      const { presets } = await ask(luna, 'GET', `${root}/presets`, z.object({ presets: z.array(presetView) }));
      print({ agents, presets }, options.json, () =>
        table([
          ['NAME', 'AGENT', 'TOOLS', ''],
          ...presets.map((one) => [one.name, one.baseAgent, String(one.toolCount), stateOf(one)]),
          ...agents.map((one) => [one.name, '-', String(one.toolCount), one.problem ?? one.description]),
        ]),
      );
    }),
  );
}

function runAgent(): Command {
  return subcommand('run', 'Ask an agent or a preset, and print its answer.')
    .argument('<agent>', 'the name of an agent or a preset')
    .argument('<prompt>', 'what to ask, or @file to read it from a file')
    .option('--memory <text>', 'conversation memory for the agent')
    .addHelpText('after', '\nExample:\n  luna agent run direct_agent \'text_count {"text":"How many words?"}\'')
    .action((agent: string, text: string, options: HomeOptions & { memory?: string }) =>
      run(options.json, async () => {
        const prompt = text.startsWith('@') ? await readFile(text.slice(1), 'utf8') : text;
        const luna = await findRunning(options.home);
        const live = options.json
          ? {}
          : {
              onText: (part: string) => process.stdout.write(part),
              onReasoning: (part: string) => process.stderr.write(part),
            };
        const answer: AgentAnswer = await askAgent(luna, { agent, prompt, memory: options.memory, ...live });
        if (options.json) print(answer, true, () => '');
        else process.stdout.write('\n');
      }),
    );
}

interface PresetOptions extends HomeOptions {
  readonly agent?: string;
  readonly tool?: string[];
  readonly without?: string[];
  readonly model?: string;
  readonly instructions?: string;
  readonly on?: boolean;
  readonly off?: boolean;
  readonly delete?: boolean;
}

function preset(): Command {
  const collect = (value: string, former: string[] = []) => [...former, value];
  return subcommand('preset', 'Show a preset; with options make, change or delete it.')
    .argument('<name>', 'the name of the preset')
    .option('--agent <name>', 'the agent that does the work (default of a new one: simple_agent)')
    .option('--tool <name>', 'give it this tool; may be repeated', collect)
    .option('--without <name>', 'take this tool from it; may be repeated', collect)
    .option('--model <name>', 'the model to use')
    .option('--instructions <text>', 'what the model is told before the conversation')
    .option('--on', 'switch it on')
    .option('--off', 'switch it off')
    .option('--delete', 'delete it')
    .action((name: string, options: PresetOptions) =>
      run(options.json, async () => {
        const luna = await findRunning(options.home);
        const path = `${root}/presets/${encodeURIComponent(name)}`;
        if (options.delete) {
          await ask(luna, 'DELETE', path, z.undefined());
          return print({ deleted: name }, options.json, () => `The preset "${name}" is gone.`);
        }
        const change = changeOf(options);
        if (Object.keys(change).length === 0) {
          return print(await ask(luna, 'GET', path, presetView), options.json, describe);
        }
        const { presets } = await ask(luna, 'GET', `${root}/presets`, z.object({ presets: z.array(presetView) }));
        const isThere = presets.some((one) => one.name === name);
        const after = isThere
          ? await ask(luna, 'PATCH', path, presetView, change)
          : await ask(luna, 'POST', `${root}/presets`, presetView, { name, ...change });
        print(after, options.json, describe);
      }),
    );
}

function key(): Command {
  return subcommand('key', 'Print the key that opens the agents.')
    .option('--regenerate', 'make another key first; the former one opens nothing any more')
    .action((options: HomeOptions & { regenerate?: boolean }) =>
      run(options.json, async () => {
        const luna = await findRunning(options.home);
        const schema = z.object({ apiKey: z.string() });
        const answer = options.regenerate
          ? await ask(luna, 'POST', `${root}/api-key/regenerate`, schema)
          : await ask(luna, 'GET', `${root}/api-key`, schema);
        print({ url: `${luna.url}/v1`, ...answer }, options.json, ({ apiKey }) => apiKey);
      }),
    );
}

function changeOf({
  agent,
  tool = [],
  without = [],
  model,
  instructions,
  on,
  off,
}: PresetOptions): Record<string, unknown> {
  if (on && off) throw new LunaError('invalid_input', 'Use either --on or --off.');
  const tools = [
    ...tool.map((name) => [name, { enabled: true }]),
    ...without.map((name) => [name, { enabled: false }]),
  ];
  return {
    ...(agent !== undefined && { base_agent: agent }),
    ...(tools.length > 0 && { tool_config: Object.fromEntries(tools) }),
    ...(model !== undefined && { model }),
    ...(instructions !== undefined && { instructions }),
    ...((on || off) && { enabled: on === true }),
  };
}

function stateOf({ enabled, problem, description }: PresetView): string {
  return [enabled ? '' : 'off', problem ?? description ?? ''].filter(Boolean).join(': ');
}

function describe(one: PresetView): string {
  const tools = Object.entries(one.toolConfig).filter(([, { enabled }]) => enabled === true);
  return table([
    ['Preset', one.name],
    ['Agent', one.baseAgent],
    ['State', one.enabled ? 'on' : 'off'],
    ['Model', one.model ?? 'luna.default_llm'],
    ['Tools', tools.map(([name]) => name).join(', ') || 'none'],
    ...(one.instructions === undefined ? [] : [['Instructions', one.instructions]]),
    ...(one.problem === undefined ? [] : [['Problem', one.problem]]),
  ]);
}
