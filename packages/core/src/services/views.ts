import { z } from 'zod';
import { serviceStatuses } from './registry.ts';

/** What is shown of a service. No secret is in it. */
export const externalServiceView = z.object({
  name: z.string(),
  title: z.string(),
  description: z.string(),
  category: z.string(),
  version: z.string(),
  installed: z.boolean(),
  shipped: z.boolean().describe('Whether Luna brings the definition.'),
  enabled: z.boolean().describe('Whether Luna keeps it running.'),
  status: z.enum(serviceStatuses),
  reason: z.string().optional().describe('What is wrong and what to do.'),
  log: z.array(z.string()).optional().describe('The last lines that it printed, where something is wrong.'),
  retryAt: z.number().optional().describe('When it will be started again, milliseconds since the epoch.'),
  restarts: z.number().describe('How often it was started again since Luna runs.'),
  pid: z.number().optional(),
  installedAt: z.string().optional(),
  startedAt: z.string().optional(),
  lastHealthCheck: z.string().optional(),
  lastHealthy: z.string().optional(),
  path: z.string().optional().describe('Where its web interface is seen.'),
  openMode: z.enum(['iframe', 'new_tab']).optional(),
  config: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .describe('Its settings without secrets.'),
  secrets: z.array(z.string()).describe('Settings that are secret and set.'),
  provides: z.array(z.string()).describe('Keys of .env that it sets.'),
  notes: z.array(z.string()).describe('What one should know.'),
  hasData: z.boolean().describe('Whether it has data, of an earlier install too.'),
});
export type ExternalServiceView = z.infer<typeof externalServiceView>;

const field = z.looseObject({ name: z.string(), type: z.string(), secret: z.boolean(), required: z.boolean() });

/** A service with its form, and all that an install would run. */
export const externalServiceDetailView = externalServiceView.extend({
  form: z.array(field),
  commands: z
    .record(z.string(), z.union([z.string(), z.array(z.string())]))
    .describe('The commands as they are written in the definition.'),
  requires: z.array(z.string()).describe('Programs that must be there.'),
});
export type ExternalServiceDetailView = z.infer<typeof externalServiceDetailView>;

/** A definition that can be installed, or why it cannot. */
export const availableExternalServiceView = z.object({
  name: z.string(),
  title: z.string(),
  description: z.string(),
  category: z.string(),
  version: z.string(),
  installed: z.boolean(),
  shipped: z.boolean(),
  error: z.string().optional().describe('Why the definition cannot be read, with file, line and column.'),
});
export type AvailableExternalServiceView = z.infer<typeof availableExternalServiceView>;
