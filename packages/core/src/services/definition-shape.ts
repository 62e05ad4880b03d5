import { z } from 'zod';
import { sourceName } from '../config/index.ts';
import { formFieldSchema } from './form.ts';

/** The parts of `service.json`: what a service is, which settings it has, and the commands that drive it. */

export const commandNames = [
  'install',
  'uninstall',
  'run',
  'start',
  'stop',
  'restart',
  'health_check',
  'enable_startup',
  'disable_startup',
] as const;
export type CommandName = (typeof commandNames)[number];

const environmentKey = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'use letters, digits and "_" for the name of a variable');
const commandForm = z.union(
  [z.string().trim().min(1).max(20_000), z.array(z.string().max(20_000)).min(1).max(200)],
  'give a text for the shell, or a list of the program and its arguments',
);

const commandSchema = z
  .union(
    [
      commandForm,
      z.strictObject({
        command: commandForm,
        env: z.record(environmentKey, z.string()).default({}).describe('Variables, with {{field}} in their values.'),
        stdin: z.string().optional().describe('What it reads from its standard input, with {{field}} in it.'),
        timeout_seconds: z.number().positive().max(86_400).optional(),
      }),
    ],
    'give a text, a list, or { "command": …, "env"?, "stdin"?, "timeout_seconds"? }',
  )
  .transform((command) =>
    typeof command === 'string' || Array.isArray(command) ? { command, env: {} as Record<string, string> } : command,
  )
  .pipe(
    z.object({
      command: z.union([z.string(), z.array(z.string())]),
      env: z.record(z.string(), z.string()),
      stdin: z.string().optional(),
      timeout_seconds: z.number().optional(),
    }),
  );
export type ServiceCommand = z.infer<typeof commandSchema>;

const uiSchema = z
  .looseObject({
    slug: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, 'use 1-64 letters, digits, "_" and "-"')
      .optional()
      .describe('Its part of the path. Default: the name of the service.'),
    port: z.int().min(1).max(65_535).optional(),
    port_field: z.string().optional().describe('The field of the form that holds the port.'),
    base_path: z
      .string()
      .transform((path) => path.replace(/^\/+|\/+$/g, ''))
      .refine((path) => /^ext_service(?:\/[A-Za-z0-9_-]+){0,4}$/.test(path), 'it is "ext_service" or a path below it')
      .default('ext_service'),
    scheme: z.enum(['http', 'https']).default('http'),
    strip_prefix: z.boolean().default(true).describe('Whether the service sees paths without the part before it.'),
    enforce_trailing_slash: z.boolean().default(true),
    open_mode: z.enum(['iframe', 'new_tab']).default('iframe'),
  })
  .refine((ui) => (ui.port === undefined) !== (ui.port_field === undefined), 'give either "port" or "port_field"');

const commandsSchema = z.looseObject(
  Object.fromEntries(commandNames.map((name) => [name, commandSchema.optional()])) as Record<
    CommandName,
    z.ZodOptional<typeof commandSchema>
  >,
);

const requirement = z.union([
  z.string().transform((program) => ({ program, hint: undefined })),
  z.object({ program: z.string(), hint: z.string().optional().describe('How one gets it.') }),
]);

const seconds = z.number().positive().max(86_400);

export const definitionShape = z.looseObject({
  name: sourceName,
  display_name: z.string().optional(),
  description: z.string().default(''),
  category: z.string().default('other'),
  version: z.union([z.string(), z.number().transform(String)]).default(''),
  author: z.string().optional(),
  config_form: z.looseObject({ fields: z.array(formFieldSchema).max(100).default([]) }).prefault({}),
  commands: commandsSchema,
  requires: z.array(requirement).default([]).describe('Programs that must be there.'),
  health_check_expected: z
    .union([z.string(), z.number()])
    .optional()
    .describe('A text that is part of the output, or a number that is the output or the exit code.'),
  health_timeout: seconds.default(10),
  install_timeout: seconds.default(600).describe('For the install and for the first time it is healthy.'),
  start_timeout: seconds.default(60).describe('Until it is healthy.'),
  stop_timeout: seconds.default(10).describe('For a program of "run" to end by itself.'),
  stop_signal: z.enum(['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP']).default('SIGTERM'),
  restart_on_failure: z.boolean().default(true),
  working_dir: z.string().optional().describe('Where commands run, seen from the home. Default: the home.'),
  provides_vars: z.array(environmentKey).default([]),
  post_install_env: z.record(environmentKey, z.string()).default({}),
  ui: uiSchema.optional(),
});

export type ServiceDefinition = z.infer<typeof definitionShape>;

/** What people call it. */
export function titleOf(definition: ServiceDefinition): string {
  return definition.display_name ?? definition.name;
}
