import type { JsonSchema, Tool } from '../../tools/index.ts';
import { legalName } from '../../tools/index.ts';
import type { PluginCommand, PluginParameter } from './description.ts';

/** The tool of a command: `{plugin}_{command}`, or `{plugin}` where the program has no commands. */
export function toolOf(plugin: string, command: PluginCommand, about?: string): Tool {
  const required = command.parameters.filter((parameter) => parameter.required).map(({ name }) => name);
  return {
    name: legalName([plugin, ...command.path].join('_')),
    description: command.description ?? about ?? `Runs ${[plugin, ...command.path].join(' ')}.`,
    inputSchema: {
      type: 'object',
      properties: Object.fromEntries(command.parameters.map((parameter) => [parameter.name, schemaOf(parameter)])),
      ...(required.length > 0 && { required }),
      additionalProperties: false,
    },
  };
}

function schemaOf(parameter: PluginParameter): JsonSchema {
  const { description, type, choices, list } = parameter;
  const value = { type: type === 'flag' ? 'boolean' : type, ...(choices && { enum: typed(choices, type) }) };
  return {
    ...(list && type !== 'flag' ? { type: 'array', items: value, ...(parameter.required && { minItems: 1 }) } : value),
    ...(description !== undefined && { description }),
    ...(parameter.default !== undefined && { default: parameter.default }),
  };
}

function typed(choices: readonly string[], type: string): readonly (string | number)[] {
  return type === 'integer' || type === 'number' ? choices.map(Number) : choices;
}
