import { z } from 'zod';
import { LunaError, messageOf } from '../../errors/index.ts';
import { describeExit } from '../../supervisor/index.ts';
import { type PluginCommand, type PluginDescription, pluginDescription } from './description.ts';
import { type ParsedHelp, parseHelp } from './parse-help.ts';
import type { RunOutcome } from './run.ts';

/** Levels of commands within commands, and commands in all, that are asked for help. */
const maxDepth = 3;
const maxCommands = 200;

/** Runs the program with arguments and tells how that ended. */
export type Ask = (args: readonly string[]) => Promise<RunOutcome>;

/**
 * Finds out what a program can do: by `--help`, and where that names `--describe`, by the JSON that it answers to that. A
 * program is asked nothing that its help does not name: one that does not know a flag could take it for work to do.
 */
export async function discover(ask: Ask): Promise<PluginDescription> {
  const help = await helpOf(ask, []);
  return (/(?:^|[\s[])--describe\b/.test(help) ? await described(ask) : undefined) ?? (await helped(ask, help));
}

async function described(ask: Ask): Promise<PluginDescription | undefined> {
  const { exit, output } = await ask(['--describe']);
  const text = output.toString('utf8').trim();
  if (exit.code !== 0 || !text.startsWith('{')) return undefined;
  try {
    return pluginDescription.parse(JSON.parse(text));
  } catch (thrown) {
    const reason = thrown instanceof z.ZodError ? z.prettifyError(thrown) : messageOf(thrown);
    throw new LunaError('invalid_input', `What the program answers to --describe is not right: ${reason}`, {
      cause: thrown,
    });
  }
}

async function helped(ask: Ask, help: string): Promise<PluginDescription> {
  const commands: PluginCommand[] = [];
  const about = await walk(ask, { path: [], text: help }, undefined, commands);
  if (commands.length === 0) throw new LunaError('invalid_input', 'The help of the program names no command.');
  return { ...(about !== undefined && { description: about }), commands };
}

/** One after the other: plugins are discovered side by side already. */
async function walk(
  ask: Ask,
  { path, text }: { path: string[]; text: string },
  listed: ParsedHelp['commands'][number] | undefined,
  into: PluginCommand[],
): Promise<string | undefined> {
  const help = ownHelp(parseHelp(text, path), listed, path);
  const description = listed?.description ?? help.description;
  if (help.commands.length === 0 || path.length >= maxDepth) {
    into.push({ path, parameters: [...help.parameters], ...(description !== undefined && { description }) });
    return description;
  }
  for (const command of help.commands) {
    if (into.length >= maxCommands) break;
    const inner = [...path, command.name];
    await walk(ask, { path: inner, text: await innerHelpOf(ask, inner, command) }, command, into);
  }
  return description;
}

/** Scripts often show the help of the whole for any command, or none: the line that lists a command tells enough then. */
function ownHelp(
  help: ParsedHelp,
  listed: ParsedHelp['commands'][number] | undefined,
  path: readonly string[],
): ParsedHelp {
  const isOfTheWhole = listed !== undefined && help.commands.some(({ name }) => name === listed.name);
  const isNone = help.commands.length === 0 && help.parameters.length === 0;
  if (!listed || !(isOfTheWhole || isNone)) return help;
  const { parameters } = parseHelp(`Usage: ${path.join(' ')} ${listed.signature ?? ''}`, path);
  return {
    ...(isNone && help.description !== undefined && { description: help.description }),
    parameters,
    commands: [],
  };
}

/** A command that does not know --help is what the line that lists it says. */
async function innerHelpOf(
  ask: Ask,
  path: readonly string[],
  { description, signature }: ParsedHelp['commands'][number],
): Promise<string> {
  try {
    return await helpOf(ask, path);
  } catch (thrown) {
    const isTold = description !== undefined || signature !== undefined;
    if (isTold && thrown instanceof LunaError && thrown.code === 'process_failed') return '';
    throw thrown;
  }
}

async function helpOf(ask: Ask, path: readonly string[]): Promise<string> {
  const { exit, output, errors } = await ask([...path, '--help']);
  const text = output.toString('utf8');
  if (exit.code === 0 && text.trim() !== '') return text;
  const said = errors.join('\n').trim() || text.trim() || 'it wrote nothing';
  throw new LunaError('process_failed', `${[...path, '--help'].join(' ')} ${describeExit(exit)}: ${said}`);
}
