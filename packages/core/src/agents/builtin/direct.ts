import { LunaError } from '../../errors/index.ts';
import { type Agent, lastUserText } from '../agent.ts';
import { textOfResult } from '../trace.ts';

/**
 * Runs the tool that the last message names, without a model: `{"tool":"add","args":{"a":1}}`, or `add {"a":1}`. The
 * result is the answer; a failure is the error of the request.
 */
export const directAgent: Agent = {
  name: 'direct_agent',
  description: 'Runs the tool that the last message names. Needs no model.',
  async run(turn) {
    const { tool, args } = parseCommand(lastUserText(turn.messages));
    const result = await turn.call(tool, args);
    const text = textOfResult(result);
    if (result.isError === true) throw new LunaError('tool_failed', text || `The tool "${tool}" failed.`);
    turn.say(text);
    return {};
  },
};

/** Reads the command of a message. Throws `invalid_input`. */
export function parseCommand(text: string): { tool: string; args: string } {
  const trimmed = text.trim();
  if (trimmed.startsWith('{')) return parseObject(trimmed);
  const [, tool, rest = ''] = /^([A-Za-z0-9._-]{1,128})(?:\s+([\s\S]*))?$/.exec(trimmed) ?? [];
  if (tool === undefined || (rest.trim() !== '' && !rest.trim().startsWith('{'))) throw notUnderstood();
  return { tool, args: rest.trim() };
}

function parseObject(text: string): { tool: string; args: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (thrown) {
    throw new LunaError(
      'invalid_input',
      `The message is not valid JSON: ${thrown instanceof Error ? thrown.message : ''}`,
      {
        cause: thrown,
      },
    );
  }
  if (typeof value !== 'object' || value === null || !('tool' in value) || typeof value.tool !== 'string')
    throw notUnderstood();
  const args = 'args' in value ? value.args : 'arguments' in value ? value.arguments : undefined;
  return { tool: value.tool, args: args === undefined || args === null ? '' : JSON.stringify(args) };
}

function notUnderstood(): LunaError {
  return new LunaError(
    'invalid_input',
    'direct_agent wants a tool and its arguments: {"tool":"name","args":{…}}, or the name and then the JSON object.',
  );
}
