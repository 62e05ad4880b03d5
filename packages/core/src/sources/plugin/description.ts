import { z } from 'zod';

/**
 * What a plugin can do. A plugin prints this as JSON for `--describe`; for all others it is made of their `--help`.
 */

const parameter = z
  .object({
    /** The name of the argument of the tool. */
    name: z.string().min(1),
    /** How the program takes it: `--size`, `-s`; absent for a positional argument. */
    option: z
      .string()
      .regex(/^-{1,2}[A-Za-z0-9]/, 'must begin with "-" and a name')
      .optional(),
    /** Of a flag: what switches it off, `--no-color`. */
    off: z
      .string()
      .regex(/^-{1,2}[A-Za-z0-9]/, 'must begin with "-" and a name')
      .optional(),
    description: z.string().optional(),
    /** A flag takes no value. */
    type: z.enum(['string', 'integer', 'number', 'flag']).default('string'),
    choices: z.array(z.string()).optional(),
    default: z.union([z.string(), z.number(), z.boolean()]).optional(),
    required: z.boolean().default(false),
    /** It can be given several times. */
    list: z.boolean().default(false),
    /** All values follow the option at once (`--names a b`), instead of the option before each. */
    together: z.boolean().default(false),
  })
  .strict();

const command = z
  .object({
    /** The words that come before the arguments: `["git", "status"]`. Empty for a program without commands. */
    path: z.array(z.string().regex(/^[A-Za-z0-9][\w.:-]*$/, 'must be a plain word')).default([]),
    description: z.string().optional(),
    parameters: z.array(parameter).default([]),
  })
  .strict();

export const pluginDescription = z
  .object({
    description: z.string().optional(),
    commands: z.array(command).min(1).max(500),
  })
  .strict();

export type PluginDescription = z.infer<typeof pluginDescription>;
export type PluginCommand = z.infer<typeof command>;
export type PluginParameter = z.infer<typeof parameter>;
