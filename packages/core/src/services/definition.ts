import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { parseJsonText } from '../config/index.ts';
import { LunaError, systemCodeOf } from '../errors/index.ts';
import { checkDefinition } from './check-definition.ts';
import { type CommandName, commandNames, definitionShape, type ServiceDefinition } from './definition-shape.ts';

/** `service.json`: read in both of its forms, and checked. */

export const serviceDefinitionSchema = z
  .preprocess(withCommands, definitionShape)
  .superRefine((definition, context) => {
    for (const { path, message } of checkDefinition(definition)) context.addIssue({ code: 'custom', path, message });
  });

/** Longer definitions are refused, in bytes. */
const longestDefinition = 1_048_576;
export const definitionFile = 'service.json';

/** Reads the text of a definition. Throws `config_invalid` with `file`, line and column. */
export function parseDefinition(text: string, file: string): ServiceDefinition {
  if (text.length > longestDefinition) throw new LunaError('too_large', `${file} is longer than 1 MiB.`);
  return parseJsonText(text, serviceDefinitionSchema, file);
}

/** Reads the definition in a folder. Throws `not_found`, `too_large`, and `config_invalid` with file, line and column. */
export async function readDefinition(folder: string, name: string): Promise<ServiceDefinition> {
  const file = join(folder, definitionFile);
  let text: string;
  try {
    if ((await stat(file)).size > longestDefinition) throw new LunaError('too_large', `${file} is longer than 1 MiB.`);
    text = await readFile(file, 'utf8');
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'ENOENT') throw new LunaError('not_found', `There is no service "${name}".`);
    throw thrown;
  }
  const definition = parseDefinition(text, file);
  if (definition.name === name) return definition;
  throw new LunaError(
    'config_invalid',
    `${file}: its name is "${definition.name}" but its folder "${name}". Give both the same name.`,
    { details: { file } },
  );
}

/** Fields that Luna does not know: perhaps they are misspelt. */
export function unknownFields(definition: ServiceDefinition): string[] {
  const known = new Set<string>([...Object.keys(definitionShape.shape), ...flatNames.keys(), ...ignored]);
  const commands = new Set<string>(commandNames);
  return [
    ...Object.keys(definition).filter((key) => !known.has(key)),
    ...Object.keys(definition.commands)
      .filter((key) => !commands.has(key))
      .map((key) => `commands.${key}`),
  ];
}

/** Fields for other programs. */
const ignored = ['$schema', 'required_vars', 'requires_sudo', 'icon', 'homepage', 'license', 'tags'];

/** The older form has the commands beside the rest. */
const flatNames = new Map<string, CommandName>(commandNames.map((name) => [`${name}_cmd`, name]));

/** Brings both forms into one: `install_cmd` becomes `commands.install`, and `commands.enable` gets its full name. */
function withCommands(given: unknown): unknown {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return given;
  const definition: Record<string, unknown> = { ...given };
  const present = definition.commands;
  if (present !== undefined && (typeof present !== 'object' || present === null || Array.isArray(present)))
    return given;
  const commands: Record<string, unknown> = { ...present };
  for (const [flat, name] of flatNames) {
    if (typeof definition[flat] === 'string' && commands[name] === undefined) commands[name] = definition[flat];
  }
  for (const [short, name] of [
    ['enable', 'enable_startup'],
    ['disable', 'disable_startup'],
  ] as const) {
    if (commands[short] === undefined) continue;
    commands[name] ??= commands[short];
    delete commands[short];
  }
  // A command that a definition leaves out is sometimes written as null or as an empty text.
  for (const [name, command] of Object.entries(commands)) if (command === null || command === '') delete commands[name];
  if (typeof definition.config_form === 'object' && Array.isArray(definition.config_form))
    definition.config_form = { fields: definition.config_form };
  for (const key of ['ui', 'provides_vars', 'post_install_env', 'config_form', 'version', 'health_check_expected'])
    if (definition[key] === null) delete definition[key];
  return { ...definition, commands };
}
