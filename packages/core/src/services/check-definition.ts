import { withoutSecretArguments } from './container-secrets.ts';
import type { ServiceCommand, ServiceDefinition } from './definition-shape.ts';
import { isSecret } from './form.ts';
import { ownPlaceholders, placeholdersOf } from './placeholders.ts';
import { whyUnsafeArguments, whyUnsafeText } from './shell-text.ts';

/** What is wrong with a definition whose parts have the right form, and where. */
export interface Problem {
  readonly path: (string | number)[];
  readonly message: string;
}

/** Keys of `.env` that are Luna's own. */
const reserved =
  /^(?:LUNA_.*|MCP_SERVER_.*|SUPERVISOR_API_TOKEN|AGENT_API_KEY|AUTH_TOKEN|PATH|NODE_OPTIONS|LD_.*|HOME)$/;

export function checkDefinition(definition: ServiceDefinition): Problem[] {
  return [
    ...missingCommands(definition),
    ...fieldProblems(definition),
    ...Object.entries(definition.commands).flatMap(([name, command]) =>
      isCommand(command) ? commandProblems(definition, name, command) : [],
    ),
    ...environmentProblems(definition),
    ...uiProblems(definition),
  ];
}

function missingCommands({ commands }: ServiceDefinition): Problem[] {
  if (commands.run && (commands.start || commands.stop || commands.restart)) {
    const path = ['commands', commands.start ? 'start' : commands.stop ? 'stop' : 'restart'];
    return [{ path, message: 'a service with "run" is started and stopped by Luna: leave this command out' }];
  }
  const needed = commands.run ? [] : (['start', 'stop', 'health_check'] as const);
  const missing = needed.filter((name) => !commands[name]);
  if (missing.length === 0) return [];
  const names = missing.map((name) => `"${name}"`).join(', ');
  return [{ path: ['commands'], message: `${names} is missing. Or give "run", a program that Luna keeps running` }];
}

function fieldProblems({ config_form: { fields } }: ServiceDefinition): Problem[] {
  const seen = new Set<string>();
  return fields.flatMap(({ name }, index) => {
    // Both would become one variable of the environment.
    const key = name.toUpperCase();
    if (!seen.has(key)) {
      seen.add(key);
      return [];
    }
    return [{ path: ['config_form', 'fields', index, 'name'], message: `there are two fields "${name}"` }];
  });
}

function commandProblems(
  definition: ServiceDefinition,
  name: string,
  { command, env, stdin }: ServiceCommand,
): Problem[] {
  const path = ['commands', name];
  const texts = [...[command].flat(), ...Object.values(env), stdin ?? ''];
  const unknown = unknownPlaceholder(definition, texts);
  if (unknown !== undefined) return [{ path, message: unknown }];
  const unsafe = typeof command === 'string' ? whyUnsafeText(command) : whyUnsafeArguments(command);
  if (unsafe !== undefined) return [{ path, message: unsafe }];
  const secret = typeof command === 'string' ? undefined : secretIn(definition, command);
  return secret === undefined
    ? []
    : [
        {
          path,
          message: `the secret {{${secret}}} would be seen in the list of processes: give it by "env" or "stdin"`,
        },
      ];
}

/** Secrets that a command line shows to other users of the machine. */
export function shownSecrets(definition: ServiceDefinition): string[] {
  return Object.values(definition.commands).flatMap((given) => {
    if (!isCommand(given)) return [];
    const { command } = withoutSecretArguments(given, definition.config_form.fields);
    return typeof command === 'string' ? (secretIn(definition, [command]) ?? []) : [];
  });
}

function secretIn({ config_form }: ServiceDefinition, texts: readonly string[]): string | undefined {
  const secrets = config_form.fields.filter(isSecret).map(({ name }) => name);
  return texts.flatMap(placeholdersOf).find(({ field }) => secrets.includes(field))?.field;
}

function environmentProblems(definition: ServiceDefinition): Problem[] {
  const { provides_vars, post_install_env } = definition;
  const own = (key: string) => `"${key}" is Luna's own; a service cannot set it`;
  return [
    ...provides_vars.flatMap((key, index) =>
      reserved.test(key) ? [{ path: ['provides_vars', index], message: own(key) }] : [],
    ),
    ...Object.entries(post_install_env).flatMap(([key, text]) => {
      const message = reserved.test(key) ? own(key) : unknownPlaceholder(definition, [text]);
      return message === undefined ? [] : [{ path: ['post_install_env', key], message }];
    }),
  ];
}

function uiProblems({ ui, config_form }: ServiceDefinition): Problem[] {
  if (ui?.port_field === undefined || config_form.fields.some(({ name }) => name === ui.port_field)) return [];
  return [{ path: ['ui', 'port_field'], message: `there is no field "${ui.port_field}"` }];
}

function unknownPlaceholder({ config_form }: ServiceDefinition, texts: readonly string[]): string | undefined {
  const known = new Set<string>([...ownPlaceholders, ...config_form.fields.map(({ name }) => name)]);
  const unknown = texts.flatMap(placeholdersOf).find(({ field }) => !known.has(field));
  return unknown && `there is no field "${unknown.field}" for {{${unknown.field}}}`;
}

function isCommand(value: unknown): value is ServiceCommand {
  return typeof value === 'object' && value !== null && 'command' in value && 'env' in value;
}
