import { z } from 'zod';

/** What a start goes through, in this order. The last one is told by whoever shows it to people. */
export const startPhaseNames = [
  'update_queue',
  'config',
  'config_sync',
  'state_reset',
  'core_surfaces',
  'extensions',
  'external_services',
  'health_monitor',
  'summary',
] as const;
export type StartPhaseName = (typeof startPhaseNames)[number];

export const startPhaseView = z.object({
  name: z.enum(startPhaseNames),
  state: z.enum(['started', 'done', 'failed']),
  startedAt: z.number().describe('Milliseconds since the epoch.'),
  durationMs: z.number().describe('How long it took; of one that goes on, 0.'),
  detail: z.string().optional().describe('What came of it, or why it failed.'),
  troubled: z.boolean().optional().describe('It is done, and `detail` tells of something in it that is not well.'),
});
export type StartPhase = z.infer<typeof startPhaseView>;
