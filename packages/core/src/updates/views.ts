import { z } from 'zod';
import { sourceName } from '../config/index.ts';

/** What people and programs see of updates, and what they say. */

const digest = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/, 'use "sha256:" and 64 hexadecimal digits, as extensions/inspect gives it')
  .describe('Which copy is meant: the digest that extensions/inspect showed.');

const allowNew = z
  .boolean()
  .optional()
  .describe('Take it though it is younger than luna.min_release_age: a person has decided that.');

const installOperation = z.object({
  type: z.literal('install'),
  name: sourceName.optional().describe('The name of the extension here. Default: the one that it has.'),
  source: z.string().max(2_000).optional(),
  digest,
  allow_new: allowNew,
});
const updateExtensionOperation = z.object({
  type: z.literal('update'),
  name: sourceName,
  source: z.string().max(2_000).optional(),
  digest,
  allow_new: allowNew,
});
const deleteOperation = z.object({ type: z.literal('delete'), name: sourceName });
const externalServiceOperation = z
  .looseObject({
    type: z.literal('install_external_service'),
    name: sourceName,
    secrets: z
      .array(z.string())
      .optional()
      .describe('Which settings of `config` are secret. They are not shown; saved again so, they stay as they are.'),
  })
  .describe('Anything else goes to whoever installs it.');
const coreOperation = z.object({
  type: z.literal('update_core'),
  version: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._+@/-]{0,99}$/, 'use a version such as 1.2.3, a tag, a branch or a commit')
    .optional()
    .describe('Of npm a version or a tag, of git a branch, a tag or a commit. Default: the newest.'),
});

/** One thing to do. */
export const updateOperation = z.discriminatedUnion('type', [
  installOperation,
  updateExtensionOperation,
  deleteOperation,
  externalServiceOperation,
  coreOperation,
]);

/** What a person saves: all of it is done, or none of an operation that fails. */
export const updatePlan = z.object({
  operations: z.array(updateOperation).min(1).max(100),
  master_config: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('Replaces master_config.json when all operations have been done.'),
});

const operationState = z.object({
  state: z.enum(['waiting', 'done', 'failed']),
  error: z.string().optional().describe('Why it failed. What it had begun was taken back.'),
  note: z.string().optional().describe('What to do yet, where it was done.'),
});

export const queueStatus = z.enum(['waiting', 'applying', 'failed', 'parked']);

export const updateQueueView = z.object({
  id: z.string(),
  savedAt: z.number().describe('Milliseconds since the epoch.'),
  status: queueStatus.describe('failed: it is tried again. parked: it failed three times and is left alone.'),
  failures: z.number(),
  reason: z.string().optional().describe('Why it failed the last time.'),
  operations: z.array(z.intersection(updateOperation, operationState)),
  hasConfig: z.boolean().describe('Whether it replaces the configuration at the end.'),
});

export const updatePhases = [
  'delete',
  'install',
  'update',
  'external_services',
  'core',
  'dependencies',
  'config_sync',
] as const;
export const updatePhase = z.enum(updatePhases);

/** What became of the last queue that was applied. */
export const appliedQueueView = z.object({
  id: z.string(),
  endedAt: z.number(),
  outcome: z.enum(['done', 'failed', 'parked', 'broken_off']),
  reason: z.string().optional(),
  operations: z.array(z.intersection(updateOperation, operationState)),
});

export const currentQueueView = z.object({
  queue: updateQueueView.nullable().describe('What waits, or is being done.'),
  last: appliedQueueView.nullable().describe('What became of the one before, since Luna started.'),
});

export const inspectionView = z.object({
  digest: z.string().describe('Names this very copy; an operation refers to it.'),
  source: z.string(),
  revision: z.string().optional().describe('The commit, or the version of the package.'),
  releasedAt: z
    .number()
    .optional()
    .describe('When that was made, as the source says, in milliseconds since the epoch.'),
  tooNew: z.string().optional().describe('Why it is not taken yet, by luna.min_release_age. `allow_new` takes it.'),
  name: z.string().describe('What it would be called here.'),
  version: z.string().optional(),
  description: z.string().optional(),
  files: z.object({ count: z.number(), bytes: z.number(), paths: z.array(z.string()).describe('The first 1,000.') }),
  toolFiles: z.array(z.string()).describe('Files whose tools Luna would load, and so run.'),
  commands: z
    .array(
      z.object({
        kind: z.enum(['ui', 'service']),
        name: z.string(),
        command: z.string().describe('The file that would be started.'),
        script: z.string().describe('The beginning of it.'),
      }),
    )
    .describe('What would be started, and kept running.'),
  requiredSecrets: z.array(z.string()).describe('Environment keys that its tools would get.'),
  missingSecrets: z.array(z.string()).describe('Those that are not set yet.'),
  permissions: z
    .array(z.object({ tool: z.string(), permissions: z.record(z.string(), z.unknown()) }))
    .describe('What tools in Lua ask for.'),
  dependencies: z.object({
    npm: z.array(z.object({ name: z.string(), range: z.string() })),
    python: z.array(z.string()),
  }),
  warnings: z.array(z.string()).describe('What a person should know.'),
  refusals: z.array(z.string()).describe('Why it cannot be installed as it is. Empty when it can.'),
  installed: z
    .object({
      version: z.string().optional(),
      source: z.string().optional(),
      isSame: z.boolean().describe('Whether this very copy is what is installed.'),
    })
    .optional()
    .describe('What is there under this name now.'),
});

/** `queue.progress` of the event stream. */
export const queueProgress = z.object({
  phase: updatePhase,
  operation: z.number().optional().describe('Which one, counted from 0.'),
  name: z.string().optional(),
  message: z.string().describe('What is being done, or a line of the program that does it.'),
});

export type UpdateOperation = z.infer<typeof updateOperation>;
export type UpdatePlan = z.input<typeof updatePlan>;
export type UpdateQueueView = z.infer<typeof updateQueueView>;
export type AppliedQueueView = z.infer<typeof appliedQueueView>;
export type CurrentQueueView = z.infer<typeof currentQueueView>;
export type UpdatePhase = z.infer<typeof updatePhase>;
export type InspectionView = z.infer<typeof inspectionView>;
export type QueueProgress = z.infer<typeof queueProgress>;

/** What an operation is about, for people. */
export function nameOf(operation: UpdateOperation): string {
  return operation.type === 'update_core' ? 'Luna' : (operation.name ?? '');
}

/** A newer version of an extension that was not taken, and why. */
export const pendingUpdateView = z.object({
  version: z.string().optional(),
  revision: z.string().optional().describe('The commit, or the version of the package.'),
  digest: z.string(),
  state: z
    .enum(['waits', 'too_new', 'failed'])
    .describe('waits: for a person, because it wants more. too_new: for its age. failed: until there is another one.'),
  reason: z.string(),
  foundAt: z.number().describe('Milliseconds since the epoch.'),
});
export type PendingUpdateView = z.infer<typeof pendingUpdateView>;
