import { LunaError } from '../../errors/index.ts';
import type { ToolArguments } from '../../tools/index.ts';
import type { PluginCommand, PluginParameter } from './description.ts';

/**
 * The arguments of a call as the program takes them. A value is always its own argument, so nothing in it is read by a
 * shell; one that begins with `-` is joined to its option, or stands behind `--`, so that it is not read as an option.
 */
export function argumentsOf(command: PluginCommand, args: ToolArguments): string[] {
  const options: string[] = [];
  const positionals: string[] = [];
  for (const parameter of command.parameters) {
    const value = args[parameter.name];
    if (value === undefined || value === null) continue;
    const values = (Array.isArray(value) ? value : [value]).map((each: unknown) => textOf(parameter, each));
    if (parameter.option === undefined) positionals.push(...values);
    else if (parameter.type === 'flag') {
      const given = value === true ? parameter.option : parameter.off;
      if (given !== undefined) options.push(given);
    } else options.push(...optionWith(parameter, parameter.option, values));
  }
  const guard = positionals.some((value) => value.startsWith('-')) ? ['--'] : [];
  return [...command.path, ...options, ...guard, ...positionals];
}

function optionWith(parameter: PluginParameter, option: string, values: readonly string[]): string[] {
  // A negative number is not taken for an option.
  if (parameter.together && !values.some((value) => value.startsWith('-') && !/^-\d*\.?\d+$/.test(value)))
    return values.length > 0 ? [option, ...values] : [];
  return values.flatMap((value) => {
    if (option.startsWith('--'))
      return value.startsWith('-') || value === '' ? [`${option}=${value}`] : [option, value];
    return value.startsWith('-') ? [`${option}${value}`] : [option, value];
  });
}

function textOf(parameter: PluginParameter, value: unknown): string {
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  if (text.includes('\0'))
    throw new LunaError('invalid_input', `"${parameter.name}" holds a NUL character, which no program can take.`);
  return text;
}
