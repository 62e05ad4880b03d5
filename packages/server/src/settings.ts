import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { EnvFile, homePaths, publicDomainProblem, publicUrlProblem, tidyPublicUrl } from '@luna/core/config';
import { LunaError, messageOf } from '@luna/core/errors';
import { z } from 'zod';
import { logLevels } from './log/levels.ts';

/** Refuses what has a problem, in the words of the problem. */
function refusing(problemOf: (text: string) => string | undefined) {
  return (text: string, context: z.RefinementCtx) => {
    const problem = problemOf(text);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  };
}

/** What the server is told from outside. Flags win over the environment, the environment over the home's `.env`. */
const settingsSchema = z.object({
  host: z.string().min(1).default('127.0.0.1').describe('The address to listen on.'),
  port: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .default(8766)
    .describe('The port to listen on; 0 takes any free one.'),
  allowExternal: z
    .union([z.boolean(), z.stringbool()])
    .default(false)
    .describe('Listen on an address that other machines reach.'),
  allowedHosts: z
    .string()
    .default('')
    .transform((names) =>
      names
        .split(',')
        .map((name) => name.trim())
        .filter(Boolean),
    )
    .describe('Further names, separated by commas, under which this Luna is reached.'),
  publicUrl: z
    .string()
    .superRefine(refusing(publicUrlProblem))
    .transform(tidyPublicUrl)
    .optional()
    .describe('The address under which people and clients reach this Luna, when a proxy stands in front.'),
  deploymentMode: z
    .enum(['local', 'ngrok', 'nip_io', 'custom_domain'])
    .optional()
    .describe('Instead of deployment_mode.'),
  publicDomain: z.string().superRefine(refusing(publicDomainProblem)).optional().describe('Instead of public_domain.'),
  logLevel: z.enum(logLevels).default('info').describe('What is logged: this and what is more severe.'),
  logMaxBytes: z.coerce
    .number()
    .int()
    .min(10_000)
    .max(1_000_000_000)
    .default(10_000_000)
    .describe('A log that has grown so far, in bytes, makes room for a new one.'),
  logFiles: z.coerce.number().int().min(1).max(100).default(5).describe('How many former logs are kept.'),
  metricsToken: z.string().min(1).optional().describe('The bearer token of /metrics.'),
  authToken: z.string().min(1).optional().describe('The bearer token of plain JSON-RPC at /mcp.'),
});

export type Settings = z.infer<typeof settingsSchema> & { readonly home: string };

/** Flags of the command line, where given. */
export interface SettingFlags {
  readonly home?: string;
  readonly host?: string;
  readonly port?: string;
  readonly allowExternal?: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Settles all settings. Throws `invalid_input` for one that is not legal and for an external address that was not
 * allowed in so many words.
 */
export async function readSettings(flags: SettingFlags, environment: Environment): Promise<Settings> {
  const home = findHome(flags.home, environment);
  const fromFile = await new EnvFile(homePaths(home).env).read();
  const value = async (name: string) => (await fromEnvironment(name, environment)) ?? fromFile[name];
  const parsed = settingsSchema.safeParse({
    host: flags.host ?? (await value('LUNA_HOST')),
    port: flags.port ?? (await value('LUNA_PORT')),
    allowExternal: flags.allowExternal ?? (await value('LUNA_ALLOW_EXTERNAL')),
    allowedHosts: await value('LUNA_ALLOWED_HOSTS'),
    publicUrl: (await value('LUNA_PUBLIC_URL')) || undefined,
    deploymentMode: (await value('DEPLOYMENT_MODE')) || undefined,
    publicDomain: (await value('PUBLIC_DOMAIN')) || undefined,
    logLevel: (await value('LUNA_LOG_LEVEL')) || undefined,
    logMaxBytes: (await value('LUNA_LOG_MAX_BYTES')) || undefined,
    logFiles: (await value('LUNA_LOG_FILES')) || undefined,
    metricsToken: (await fromEnvironment('METRICS_TOKEN', environment)) || undefined,
    // That of `.env` is looked up at each request, so it is not settled here.
    authToken: (await fromEnvironment('AUTH_TOKEN', environment)) || undefined,
  });
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new LunaError(
      'invalid_input',
      `The setting ${issue?.path.join('.') ?? ''} is not legal: ${issue?.message ?? ''}.`,
    );
  }
  const settings = { ...parsed.data, home };
  if (!isLoopback(settings.host) && !settings.allowExternal) {
    throw new LunaError(
      'invalid_input',
      `${settings.host} can be reached from other machines. Add --allow-external (or LUNA_ALLOW_EXTERNAL=true) if you mean that.`,
    );
  }
  return settings;
}

/** The home: as told, or the folder here if it is one. Throws `invalid_input` when there is none to be found. */
export function findHome(flag: string | undefined, environment: Environment): string {
  const told = flag ?? environment.LUNA_HOME;
  if (told) {
    const home = resolve(told);
    if (statSync(home, { throwIfNoEntry: false })?.isDirectory() === false)
      throw new LunaError('invalid_input', `${home} is no folder, so that it cannot be a home.`);
    return home;
  }
  const here = process.cwd();
  const isHome = ['master_config.json', 'master_config.example.json'].some((name) => existsSync(join(here, name)));
  if (isHome) return here;
  throw new LunaError(
    'invalid_input',
    `${here} is not a home of Luna: it has no master_config.json. Go to your home, name it with --home DIR, or make one with "npx create-luna DIR".`,
  );
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/** Variables that say how models are reached, for `LunaOptions.environment`. */
export async function modelEnvironment(environment: Environment): Promise<Record<string, string | undefined>> {
  const names = ['OPENAI_BASE_URL', 'OPENAI_API_KEY', 'LUNA_DEFAULT_LLM'];
  const values = await Promise.all(
    names.map(async (name) => [name, await fromEnvironment(name, environment)] as const),
  );
  return Object.fromEntries(values);
}

/** A variable, or the content of the file that `NAME_FILE` names. */
async function fromEnvironment(name: string, environment: Environment): Promise<string | undefined> {
  const file = environment[`${name}_FILE`];
  if (environment[name] !== undefined || file === undefined) return environment[name];
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (thrown) {
    throw new LunaError('invalid_input', `Cannot read ${file}, which ${name}_FILE names: ${messageOf(thrown)}`, {
      cause: thrown,
    });
  }
}
