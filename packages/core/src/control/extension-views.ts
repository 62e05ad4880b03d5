import { z } from 'zod';
import { inspectionView, pendingUpdateView } from '../updates/views.ts';
import { sourceHealthView, toolView } from './tool-views.ts';

/** What a running Luna shows of its extensions and their programs. */

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

export type ServiceView = z.infer<typeof serviceView>;
export type ExtensionView = z.infer<typeof extensionView>;
export type ExtensionDetailView = z.infer<typeof extensionDetailView>;
