import { type RunSummaryView, type RunView, runSummaryView, runView } from '@luna/core/views';
import { Command } from 'commander';
import { z } from 'zod';
import { print, run, table } from '../output.ts';
import { ask, findRunning } from '../running-luna.ts';

interface Options {
  readonly home?: string;
  readonly agent?: string;
  readonly outcome?: string;
  readonly limit?: string;
  readonly json?: boolean;
}

export function runsCommand(): Command {
  return new Command('runs')
    .description('Show what agents have done: the latest runs, or one with its steps.')
    .argument('[id]', 'the id of a run')
    .option('--home <dir>', 'the home (default: LUNA_HOME, or the folder here)')
    .option('--agent <name>', 'only runs of this agent or preset')
    .option('--outcome <outcome>', 'only runs that ended so: ok, limit, error or cancelled')
    .option('--limit <number>', 'how many, at most 500', '20')
    .option('--json', 'print JSON')
    .action((id: string | undefined, options: Options) =>
      run(options.json, async () => {
        const luna = await findRunning(options.home);
        if (id !== undefined) {
          print(await ask(luna, 'GET', `/agents/runs/${encodeURIComponent(id)}`, runView), options.json, described);
          return;
        }
        const { agent, outcome, limit } = options;
        const asked = Object.entries({ agent, outcome, limit }).filter(
          (entry): entry is [string, string] => entry[1] !== undefined,
        );
        const schema = z.object({ runs: z.array(runSummaryView) });
        const { runs } = await ask(luna, 'GET', `/agents/runs?${new URLSearchParams(asked)}`, schema);
        print(runs, options.json, (views) =>
          views.length === 0
            ? 'No agent has run yet.'
            : table([['RUN', 'BEGAN', 'AGENT', 'OUTCOME', 'TIME', 'TOKENS', 'PROMPT'], ...views.map(rowOf)]),
        );
      }),
    );
}

function rowOf(view: RunSummaryView): string[] {
  return [
    view.id,
    new Date(view.startedAt).toISOString().slice(0, 19).replace('T', ' '),
    view.agent,
    view.outcome,
    `${Math.round(view.durationMs)} ms`,
    String(view.promptTokens + view.completionTokens),
    oneLine(view.prompt),
  ];
}

function described(view: RunView): string {
  const steps = view.steps.map((step) => {
    const times = `${Math.round(step.atMs)} ms +${Math.round(step.durationMs)}`;
    const error = step.error ? `error: ${step.error.message}` : '';
    if (step.kind === 'tool') return [times, `${step.tool} ${oneLine(step.args)}`, error || oneLine(step.result)];
    const wants = step.wants.length > 0 ? `wants ${step.wants.join(', ')}` : '';
    return [times, `model ${step.model}`, error || wants || oneLine(step.text)];
  });
  const ended = view.error ? `${view.outcome}: ${view.error.message}` : view.outcome;
  return [table([rowOf(view)]), '', table(steps), '', ended, view.answer].join('\n');
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').slice(0, 100);
}
