import { z } from 'zod';

/** What a running Luna shows of its tools, and of the sources that they come from. */

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

export type SourceHealthView = z.infer<typeof sourceHealthView>;
export type SourceView = z.infer<typeof sourceView>;
export type ToolView = z.infer<typeof toolView>;
export type ToolsBySourceView = z.infer<typeof toolsBySourceView>;
export type RemoteServerView = z.infer<typeof remoteServerView>;
export type ImportOutcomeView = z.infer<typeof importOutcomeView>;
export type PendingToolView = z.infer<typeof pendingToolView>;
export type ToolCallAnswerView = z.infer<typeof toolCallAnswerView>;
export type CallView = z.infer<typeof callView>;
