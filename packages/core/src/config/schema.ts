import { z } from 'zod';
import { agentLimits, agentPresetConfig, modelConfig } from './agent-settings.ts';
import { luaPermissionsSchema } from './lua-permissions.ts';
import { publicDomainProblem } from './public-place.ts';

/** Names of hubs: they become part of a URL and of an environment key. */
export const hubName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'use 1-40 lower-case letters, digits and "-", not starting with "-"');

/** Names of extensions and remote servers: they become folder names and parts of tool names. */
export const sourceName = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
    'use 1-64 letters, digits, ".", "_" and "-", starting with a letter or digit',
  );

const record = <Value extends z.ZodType>(key: z.ZodType<string, string>, value: Value) =>
  z.record(key, value).prefault({});

const rateLimit = z
  .looseObject({ calls_per_minute: z.int().positive().describe('More calls of tools in a minute are refused.') })
  .optional();

const toolSwitch = z
  .looseObject({
    enabled_in_mcp: z.boolean().optional().describe('Whether hubs serve it.'),
    passthrough: z.boolean().optional().describe('Whether agents run it without asking.'),
    max_result_bytes: z.int().min(0).optional().describe('Instead of luna.max_result_bytes.'),
  })
  .describe('Settings of one tool.');

export const extensionConfig = z
  .looseObject({
    enabled: z.boolean().default(true).describe('Whether the extension runs.'),
    source: z.string().optional().describe('Where it was installed from, for example github:user/repo.'),
    digest: z.string().optional().describe('Which copy was installed. Written by Luna.'),
    auto_update: z.boolean().optional().describe('Instead of auto_update in its config.json.'),
  })
  .describe('One extension, by the name of its folder under extensions/.');

export const remoteServerConfig = z
  .looseObject({
    enabled: z.boolean().default(true),
    title: z.string().optional().describe('A name for people.'),
    url: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe('The address of a server that is reached over HTTP.'),
    transport: z
      .enum(['stdio', 'http', 'sse'])
      .optional()
      .describe('Left out: stdio for a command; for a URL streamable HTTP, then the older SSE if that is refused.'),
    headers: z
      .record(z.string(), z.string())
      .optional()
      .describe('Sent with each request. ${NAME} takes the value of an environment key.'),
    command: z.string().min(1).optional().describe('The program of a server that Luna starts and talks to over stdio.'),
    args: z.array(z.string()).optional(),
    env: z
      .record(z.string(), z.string())
      .optional()
      .describe(
        'Environment of the command. ${NAME} takes the value of an environment key. Nothing else is passed on.',
      ),
    env_file: z
      .string()
      .optional()
      .describe('A file in the form of .env whose values the command gets too, relative to the home. `env` wins.'),
    cwd: z.string().optional().describe('Working folder of the command, relative to the home. Default: the home.'),
    allow_private_network: z
      .boolean()
      .optional()
      .describe('Let this server lead to addresses inside the network, by its name or a redirect.'),
    oauth: z
      .looseObject({
        client_id: z.string().min(1).optional().describe('Left out: Luna registers itself where the server lets it.'),
        client_secret: z.string().min(1).optional(),
        scope: z.string().optional().describe('What to ask for, separated by spaces. Default: what the server names.'),
      })
      .optional()
      .describe('For a server that people authorize in the browser. ${NAME} takes the value of an environment key.'),
    pin_definitions: z
      .boolean()
      .optional()
      .describe('Hold a tool back whose description or schema changes, until somebody approves. Default: true.'),
    hold_new_tools: z
      .boolean()
      .optional()
      .describe('Hold back tools too that the server has not had before. Default: false.'),
    timeout_seconds: z.number().positive().optional().describe('Longest time without answer or progress of one call.'),
  })
  .refine((server) => (server.url === undefined) !== (server.command === undefined), {
    error: 'give either "url" or "command"',
  })
  .refine((server) => server.url !== undefined || server.transport === undefined || server.transport === 'stdio', {
    error: 'a server with a "command" has the transport "stdio"',
    path: ['transport'],
  })
  .refine((server) => server.url === undefined || server.transport !== 'stdio', {
    error: 'a server with a "url" has the transport "http" or "sse"',
    path: ['transport'],
  });

export const hubToolConfig = z.looseObject({
  enabled_in_mcp: z.boolean().optional(),
  name: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/, 'use 1 to 64 letters, digits, ".", "_" and "-"')
    .optional()
    .describe('The name for clients of this hub.'),
  title: z.string().optional(),
  description: z.string().optional().describe('What models are told of the tool, instead of what its source says.'),
  arguments: record(
    z.string(),
    z.looseObject({
      description: z.string().optional(),
      default: z.unknown().optional().describe('Used when a client gives no such argument.'),
      fixed: z.unknown().optional().describe('Always used. Clients neither see nor give the argument.'),
      hidden: z.boolean().optional().describe('Clients neither see nor give the argument.'),
    }),
  )
    .optional()
    .describe('Arguments by name, as the source calls them.'),
});

export const hubConfig = z
  .looseObject({
    enabled: z.boolean().default(true).describe('Whether the hub answers.'),
    api_key: z.string().min(16).optional().describe('The bearer key of the hub. Made when missing. Mirrored to .env.'),
    api_key_hash: z
      .string()
      .regex(/^sha256:[0-9a-f]{64}$/, 'use "sha256:" and 64 hexadecimal digits in small letters')
      .optional()
      .describe('Instead of api_key: the SHA-256 of a key that need not be shown again. Not mirrored.'),
    rate_limit: rateLimit.describe('How much clients of the hub may do. Default: as much as they like.'),
    tool_config: record(z.string(), hubToolConfig).describe(
      'Tools of this hub by name: switched on or off, and shown otherwise. What is not said follows tool_configs.',
    ),
    lua_authoring: z
      .boolean()
      .optional()
      .describe('Whether clients of this hub may write tools in Lua. Default: false.'),
    schedules: z.boolean().optional().describe('Whether clients of this hub may make schedules. Default: false.'),
    plugin_health: z
      .boolean()
      .optional()
      .describe(
        'Whether a hub that shows command-line plugins has the tool "health", which tells how they are. Default: true.',
      ),
    result_paging: z
      .boolean()
      .optional()
      .describe('Whether clients get a tool that reads the rest of results that were cut. Default: true.'),
    max_tool_name_length: z
      .int()
      .min(16)
      .max(64)
      .optional()
      .describe('Longer names of tools are shortened for clients of this hub; the whole name becomes the title.'),
  })
  .refine((hub) => hub.api_key === undefined || hub.api_key_hash === undefined, {
    error: 'give either "api_key" or "api_key_hash"',
    path: ['api_key_hash'],
  })
  .describe('One hub, served at /api/mcp-<name>.');

/** The form of master_config.json that this Luna writes; see `migrate.ts`. */
export const configVersion = 1;

export const externalServiceConfig = z.looseObject({
  enabled: z.boolean().default(true).describe('Whether Luna keeps it running.'),
  config: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('Its settings without secrets, which are in its config.json alone. What is not named stays.'),
});

/** The whole of master_config.json. Every default is here and nowhere else; unknown keys are kept. */
export const masterConfigSchema = z
  .looseObject({
    $schema: z.string().optional().describe('The JSON Schema of the file, for editors.'),
    luna: z
      .looseObject({
        config_version: z
          .int()
          .min(1)
          .max(configVersion, 'the file belongs to a newer Luna; update this one, or restore a backup')
          .default(1)
          .describe('The form of the file. An older one is brought to the present one; it is kept beside it.'),
        version: z.string().default('').describe('The version of Luna that wrote the file last.'),
        timezone: z.string().default('UTC').describe('The time zone of schedules that name none.'),
        default_llm: z
          .string()
          .default('')
          .describe('The model of agents that name none. LUNA_DEFAULT_LLM in the environment or .env wins.'),
        models: z
          .record(z.string().min(1).max(200), modelConfig)
          .default({})
          .describe('Further models that clients and presets may name, each with an endpoint of its own if need be.'),
        llm_concurrency: z
          .int()
          .min(1)
          .max(10_000)
          .default(64)
          .describe('The most requests to one endpoint of models at a time. Others wait.'),
        llm_retries: z
          .int()
          .min(0)
          .max(10)
          .default(2)
          .describe(
            'How often an agent asks a model again that did not answer, or answered with 408, 409, 429 or 5xx.',
          ),
        llm_timeout_seconds: z
          .number()
          .positive()
          .default(60)
          .describe('The longest silence of a model: before its answer begins, and within it.'),
        agent_limits: agentLimits.describe('Limits of agents whose preset says nothing else.').prefault({}),
        agent_runs_days: z.number().positive().default(30).describe('For how long runs of agents are kept, in days.'),
        allowed_private_hosts: z
          .array(z.string())
          .default([])
          .describe(
            'Hosts inside the network that any MCP server may lead to: names, addresses or ranges (10.0.0.0/8).',
          ),
        trusted_proxies: z
          .array(z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], 'use an address or a range such as 10.0.0.0/8'))
          .default([])
          .describe('Addresses or ranges of proxies in front of Luna. Only these are believed whom they ask for.'),
        max_result_bytes: z
          .int()
          .min(0)
          .default(1_048_576)
          .describe('Longer results of tools are cut; the caller gets a handle for the rest. 0: never.'),
        lua_authoring_permissions: luaPermissionsSchema
          .optional()
          .describe('What tools may have that agents write, at hubs with lua_authoring. Default: nothing.'),
        git_protocols: z
          .array(z.enum(['https', 'ssh', 'http', 'git', 'file']))
          .default(['https', 'ssh'])
          .describe('Over which extensions may be fetched by git. "file" reads repositories of this machine.'),
        npm_registry: z
          .url({ protocol: /^https?$/ })
          .optional()
          .describe('Where extensions that are npm packages come from. Default: the registry that npm is set to.'),
        min_release_age: z
          .number()
          .min(0)
          .max(3_650)
          .default(0)
          .describe('How old a version of an extension has to be before it is taken from npm or git, in days. 0: any.'),
        auto_update_hours: z
          .number()
          .min(0)
          .max(500)
          .default(24)
          .describe('How often newer versions of extensions with auto_update are looked for, in hours. 0: never.'),
        plain_hub: hubName
          .optional()
          .describe('The hub whose tools plain JSON-RPC at /mcp serves. Default: what tool_configs leaves on.'),
        plain_rate_limit: rateLimit.describe('How much clients of /mcp may do. Default: as much as they like.'),
      })
      .prefault({}),
    deployment_mode: z.enum(['local', 'ngrok', 'nip_io', 'custom_domain']).default('local'),
    public_domain: z
      .string()
      .superRefine((domain, context) => {
        const problem = /[/?#@\\]/.test(domain) ? publicDomainProblem(domain) : undefined;
        if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
      })
      .default('')
      .describe('The name under which people reach this Luna, with a path where it is served below one.'),
    extensions: record(sourceName, extensionConfig),
    tool_configs: record(z.string(), toolSwitch).describe('Settings of tools for all hubs, by tool name.'),
    remote_mcp_servers: record(sourceName, remoteServerConfig).describe('MCP servers whose tools Luna serves.'),
    mcp_servers: record(hubName, hubConfig).describe('Hubs, by name.'),
    agent_presets: record(z.string().min(1).max(128), agentPresetConfig).describe('Presets of agents, by name.'),
    port_assignments: z
      .looseObject({ extensions: record(z.string(), z.number()), services: record(z.string(), z.number()) })
      .prefault({}),
    external_services: record(z.string(), externalServiceConfig).describe(
      'External services that are installed, by name.',
    ),
  })
  .describe('The configuration of one Luna.');

export type MasterConfig = z.infer<typeof masterConfigSchema>;
export type ExtensionConfig = z.infer<typeof extensionConfig>;
export type RemoteServerConfig = z.infer<typeof remoteServerConfig>;
export type HubConfig = z.infer<typeof hubConfig>;

/** The JSON Schema of master_config.json, for editors. */
export function masterConfigJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(masterConfigSchema, { io: 'input', target: 'draft-2020-12' });
}
