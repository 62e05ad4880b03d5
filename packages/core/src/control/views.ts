import { z } from 'zod';
import { scheduleRunView } from '../schedule/views.ts';
import { startPhaseView } from '../supervisor/views.ts';
import { inspectionView, pendingUpdateView, queueProgress } from '../updates/views.ts';
import { runSummaryView } from './agent-views.ts';

/**
 * What a running Luna shows of itself. The server answers with these, the UI and the command line read them;
 * none of them holds a secret unless its name says so.
 */

export const sourceHealthView = z.object({
  status: z.enum(['starting', 'ready', 'degraded', 'down', 'needs_authorization', 'stopped']),
  reason: z.string().optional().describe('What is wrong and what to do.'),
  log: z.array(z.string()).optional().describe('The last lines of the standard error output, oldest first.'),
  retryAt: z.number().optional().describe('When it will be tried again, milliseconds since the epoch.'),
  pid: z.number().optional(),
});

export const toolWarningView = z.object({
  tool: z.string().describe('The name that the source gives it.'),
  text: z.string().describe('What is wrong with the tool, or was changed of it.'),
  heldBack: z.boolean().describe('Whether nobody can see or call it.'),
});

export const sourceView = z.object({
  id: z.string(),
  kind: z.string(),
  title: z.string().optional(),
  enabled: z.boolean(),
  health: sourceHealthView,
  toolCount: z.number(),
  warnings: z.array(toolWarningView).optional().describe('Tools that are held back, or shown otherwise than listed.'),
  systemPrompt: z.string().optional().describe('What the source tells agents about its tools as a whole.'),
});

export const toolExampleView = z.object({
  prompt: z.string().describe('What a person might say.'),
  args: z.record(z.string(), z.unknown()).optional().describe('The arguments of the call that fits.'),
  response: z.unknown().optional().describe('What the tool then answers.'),
});

export const toolView = z.object({
  name: z.string().describe('The unique name that clients use.'),
  qualifiedName: z.string().describe('source__tool; a key for settings that collisions do not change.'),
  sourceName: z.string().describe('The name that the source gives the tool.'),
  source: z.string().describe('The id of the source.'),
  title: z.string().optional(),
  description: z.string().optional(),
  inputSchema: z.record(z.string(), z.unknown()),
  outputSchema: z.record(z.string(), z.unknown()).optional(),
  annotations: z.record(z.string(), z.unknown()).optional(),
  examples: z.array(toolExampleView).optional().describe('Calls to begin with, where the source gives some.'),
  hubs: z.record(z.string(), z.boolean()).describe('For each hub, whether the tool is on there.'),
});

export const toolsBySourceView = z.object({
  sources: z.array(sourceView.extend({ tools: z.array(toolView) })),
});

export const hubView = z.object({
  name: z.string(),
  enabled: z.boolean(),
  access: z
    .enum(['key', 'oauth'])
    .describe('How clients get in: by the key of the hub, or because a person let them in.'),
  path: z.string().describe('The path of the hub, for example /api/mcp-default.'),
  url: z.string().describe('The full address that clients connect to.'),
  toolCount: z.number(),
  sessions: z.number().describe('Clients of the 2025 protocols that are connected now.'),
  streams: z.number().describe('Event streams that are open now.'),
});

export const hubWithKeyView = hubView.extend({
  apiKey: z
    .string()
    .describe('The bearer key of the hub; empty when only its hash is kept, or no key opens it. Secret.'),
  keyIsHashed: z.boolean().describe('Whether only a hash of the key is kept, so that it cannot be shown.'),
  callsPerMinute: z.number().optional().describe('The most calls of tools in a minute.'),
  toolConfig: z.record(z.string(), z.looseObject({ enabled_in_mcp: z.boolean().optional() })),
});

export const pendingToolView = z.object({
  server: z.string(),
  tool: z.string(),
  digest: z.string().describe('Stands for what the server says now; to be sent along when that is approved.'),
  since: z.number().describe('When the change was seen first, in milliseconds since the epoch.'),
  isNew: z.boolean().describe('Whether the server did not have the tool before.'),
  isRejected: z.boolean(),
  before: z.record(z.string(), z.unknown()).optional().describe('What was agreed to.'),
  after: z.record(z.string(), z.unknown()).describe('What the server says now.'),
  differences: z.array(z.object({ field: z.string(), before: z.unknown().optional(), after: z.unknown().optional() })),
});

export const oauthClientView = z.object({
  id: z.string(),
  clientId: z.string(),
  clientName: z.string().describe('What the client calls itself.'),
  letInBy: z.string().describe('The person who let it in.'),
  redirectUris: z.array(z.string()).describe('Where it was sent back to.'),
  scope: z.string(),
  createdAt: z.number().describe('Milliseconds since the epoch.'),
});

export const clientSetupView = z.object({
  client: z.enum(['claude-code', 'claude-desktop', 'cursor', 'vscode']),
  title: z.string(),
  place: z.string().describe('Where the text belongs.'),
  text: z.string().describe('What to copy. Holds the key of the hub: secret.'),
  link: z.string().optional().describe('Opens the client, which asks the person first. Holds the key: secret.'),
});

/** A program that Luna keeps running. */
export const serviceView = z.object({
  name: z.string().describe('<extension>.ui or <extension>.<service>.'),
  extension: z.string(),
  kind: z.enum(['ui', 'service']),
  status: z.enum(['starting', 'running', 'unhealthy', 'backoff', 'failed', 'stopping', 'stopped']),
  since: z.number().describe('When it came to be so, in milliseconds since the epoch.'),
  restarts: z.number().describe('How often it was started anew by itself.'),
  reason: z.string().optional().describe('What is wrong.'),
  lastLines: z.array(z.string()).optional().describe('What it printed before it ended, oldest first.'),
  retryAt: z.number().optional().describe('When it will be started again, in milliseconds since the epoch.'),
  lastCheck: z.object({ at: z.number(), problem: z.string().optional() }).optional(),
  pid: z.number().optional(),
  port: z.number().optional(),
  startedAt: z.number().optional().describe('Milliseconds since the epoch.'),
  cpuPercent: z.number().optional().describe('Of one core, since it was asked last.'),
  memoryBytes: z.number().optional(),
  processes: z.number().optional().describe('How many processes it consists of.'),
  url: z.string().optional().describe('Where people open it.'),
});

export const callView = z.object({
  id: z.string(),
  tool: z.string(),
  source: z.string(),
  caller: z.object({ kind: z.string(), name: z.string().optional() }),
  requestId: z.string().optional().describe('Of the request that the call came with; the log has it too.'),
  startedAt: z.number(),
  durationMs: z.number(),
  outcome: z.enum(['ok', 'tool_error', 'error']),
  errorCode: z.string().optional(),
  errorMessage: z.string().optional(),
});

export const statusView = z.object({
  version: z.string(),
  pid: z.number(),
  home: z.string(),
  url: z.string(),
  startedAt: z.number(),
  uptimeSeconds: z.number(),
  node: z.string(),
  memoryRssBytes: z.number(),
  config: z.object({
    file: z.string(),
    valid: z.boolean(),
    error: z.string().optional().describe('Why the file is not in force; Luna runs on its last good content.'),
  }),
  hubs: z.array(hubView),
  sources: z.array(sourceView),
  services: z.array(serviceView),
  toolCount: z.number(),
  phases: z.array(startPhaseView).describe('What the start of this Luna went through.'),
  recentCalls: z.array(callView).describe('The latest calls, newest first.'),
});

export const healthView = z.object({
  status: z.enum(['ok', 'starting', 'stopping']),
  version: z.string(),
  uptimeSeconds: z.number(),
});

/** One event of the stream at /api/supervisor/events. Its `type` is also the name of the server-sent event. */
export const lunaEvent = z.discriminatedUnion('type', [
  z
    .object({ type: z.literal('hello'), version: z.string() })
    .describe('The first event of each stream. What happened before it is not told: ask for the state now.'),
  z.object({ type: z.literal('sources.changed') }).describe('A source came, went, or changed its health.'),
  z
    .object({
      type: z.literal('source.changed'),
      source: z.string().describe('The id of the source.'),
      kind: z.string(),
      status: sourceHealthView.shape.status.describe('What it is now; `stopped` also when it is gone.'),
      before: sourceHealthView.shape.status.optional().describe('What it was; left out for one that came.'),
      reason: z.string().optional().describe('What is wrong and what to do.'),
    })
    .describe('The status of one source changed. Comes before the `sources.changed` that it is part of.'),
  z.object({ type: z.literal('tools.changed') }).describe('The set of tools changed.'),
  z.object({ type: z.literal('pinned-tools.changed') }).describe('A tool began or ceased to wait for approval.'),
  z.object({ type: z.literal('services.changed') }).describe('A service came, went, or changed its status.'),
  z
    .object({ type: z.literal('external-services.changed'), name: z.string() })
    .describe('An external service came, went, or changed its status.'),
  z
    .object({ type: z.literal('external-service.output'), name: z.string(), line: z.string() })
    .describe('What the install or the uninstall of an external service prints.'),
  z.object({ type: z.literal('hubs.changed') }).describe('A hub or its selection changed.'),
  z.object({ type: z.literal('keys.changed') }).describe('The values of environment keys changed.'),
  z
    .object({ type: z.literal('oauth-clients.changed') })
    .describe('A person let a client in to the hub `main`, or it lost its access.'),
  z
    .object({
      type: z.literal('config.changed'),
      valid: z.boolean().describe('Whether the file is in force.'),
      error: z.string().optional().describe('Why it is not; Luna goes on with its last good content.'),
    })
    .describe('master_config.json was saved.'),
  z
    .object({ type: z.literal('call.ended'), call: callView })
    .describe('A tool was called, by whomever, and the call has ended.'),
  z.object({ type: z.literal('stopping') }).describe('Luna ends. The stream ends with it.'),
  z.object({ type: z.literal('schedules.changed') }).describe('A schedule came, went, was changed, or began to run.'),
  z.object({ type: z.literal('schedule.ran'), run: scheduleRunView }).describe('A run ended, or did not happen.'),
  z.object({ type: z.literal('queue.changed') }).describe('The update queue was saved, begun, ended or discarded.'),
  queueProgress.extend({ type: z.literal('queue.progress') }).describe('What the update queue is doing.'),
  z.object({ type: z.literal('agents.changed') }).describe('Agents of the home came, went or changed.'),
  z.object({ type: z.literal('run.ended'), run: runSummaryView }).describe('A turn of an agent has ended.'),
]);

export const extensionView = z.object({
  name: z.string(),
  version: z.string().optional(),
  description: z.string().optional(),
  enabled: z.boolean(),
  source: z.string().optional().describe('Where it was installed from. "local": it was put there by hand.'),
  health: sourceHealthView,
  toolCount: z.number(),
  requiredSecrets: z.array(z.string()),
  missingSecrets: z.array(z.string()).describe('Keys that it asks for and `.env` does not have.'),
  ui: z.string().optional().describe('Where people open its UI, if it has one.'),
  services: z.array(serviceView).describe('Its UI and its services.'),
  pendingUpdate: pendingUpdateView.optional().describe('A newer version that `auto_update` did not take, and why.'),
  formerSince: z.number().optional().describe('When the version before it was replaced, if that is kept.'),
});

export const extensionDetailView = extensionView.extend({
  tools: z.array(toolView),
  commands: inspectionView.shape.commands,
});

export const remoteServerView = z.object({
  id: z.string(),
  title: z.string(),
  enabled: z.boolean(),
  transport: z.enum(['stdio', 'http', 'sse']),
  target: z.string().describe('The URL, or the command with its arguments; secrets stay references.'),
  health: sourceHealthView,
  protocolVersion: z.string().optional(),
  authorized: z.boolean().optional().describe('Whether Luna holds tokens that a person has authorized.'),
  notes: z.array(z.string()).optional().describe('What Luna set by itself when the server was added.'),
  tools: z.array(z.object({ name: z.string(), description: z.string().optional() })),
});

export const importOutcomeView = z.object({
  added: z.array(z.string()),
  skipped: z.array(z.object({ name: z.string(), reason: z.string() })),
  missing: z
    .array(z.object({ key: z.string(), server: z.string() }))
    .describe('Keys that .env does not have yet, each with the server that needs it.'),
  notes: z.array(z.string()).describe('What Luna set by itself.'),
});

export const exportedConfigView = z.object({
  text: z.string().describe('master_config.json with references in the place of secrets.'),
  notes: z.array(z.string()).describe('Secrets that stand in the file itself, under which keys they are referred to.'),
});

export const appliedConfigView = z.object({
  applied: z.boolean(),
  differences: z.array(
    z.object({
      path: z.string(),
      before: z.string().optional().describe('As JSON; secrets are covered. Left out: it was not there.'),
      after: z.string().optional().describe('As JSON. Left out: it is not there any more.'),
    }),
  ),
  textDiffers: z.boolean().describe('Whether the file is another one, if only by comments or order.'),
  missing: z.array(z.string()).describe('Keys that the file refers to and .env does not have.'),
});

export const environmentKeyView = z.object({
  name: z.string(),
  masked: z.string().describe('Dots, and the last four characters of a long value.'),
  usedBy: z.array(z.string()).describe('The sources that take over a new value.'),
  keptBy: z
    .enum(['luna', 'hub'])
    .optional()
    .describe('Luna makes and needs the key itself, or it mirrors the key of a hub.'),
});

export const requiredKeyView = z.object({
  name: z.string(),
  missing: z.boolean(),
  wantedBy: z.array(z.object({ source: z.string(), kind: z.string() })),
});

export const mergedKeysView = z.object({
  set: z.array(z.string()).describe('Keys that are new or have another value now.'),
  unchanged: z.array(z.string()),
  skipped: z.array(z.object({ name: z.string(), reason: z.string() })),
});

export const errorView = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    details: z.record(z.string(), z.unknown()).optional(),
    requestId: z.string().optional().describe('Finds what the log has of the request.'),
  }),
});

export const toolCallAnswerView = z.object({
  result: z
    .object({
      content: z.array(z.looseObject({ type: z.string() })),
      structuredContent: z.unknown().optional(),
      isError: z.boolean().optional(),
    })
    .loose(),
  durationMs: z.number(),
});

export type SourceHealthView = z.infer<typeof sourceHealthView>;
export type SourceView = z.infer<typeof sourceView>;
export type ToolView = z.infer<typeof toolView>;
export type ToolsBySourceView = z.infer<typeof toolsBySourceView>;
export type HubView = z.infer<typeof hubView>;
export type HubWithKeyView = z.infer<typeof hubWithKeyView>;
export type PendingToolView = z.infer<typeof pendingToolView>;
export type OAuthClientView = z.infer<typeof oauthClientView>;
export type ClientSetupView = z.infer<typeof clientSetupView>;
export type ServiceView = z.infer<typeof serviceView>;
export type CallView = z.infer<typeof callView>;
export type StatusView = z.infer<typeof statusView>;
export type HealthView = z.infer<typeof healthView>;
export type LunaEvent = z.infer<typeof lunaEvent>;
export type ExtensionView = z.infer<typeof extensionView>;
export type ExtensionDetailView = z.infer<typeof extensionDetailView>;
export type RemoteServerView = z.infer<typeof remoteServerView>;
export type ImportOutcomeView = z.infer<typeof importOutcomeView>;
export type ExportedConfigView = z.infer<typeof exportedConfigView>;
export type AppliedConfigView = z.infer<typeof appliedConfigView>;
export type EnvironmentKeyView = z.infer<typeof environmentKeyView>;
export type RequiredKeyView = z.infer<typeof requiredKeyView>;
export type MergedKeysView = z.infer<typeof mergedKeysView>;
export type ErrorView = z.infer<typeof errorView>;
export type ToolCallAnswerView = z.infer<typeof toolCallAnswerView>;
