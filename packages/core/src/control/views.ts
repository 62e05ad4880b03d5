import { z } from 'zod';
import { scheduleRunView } from '../schedule/views.ts';
import { startPhaseView } from '../supervisor/views.ts';
import { queueProgress } from '../updates/views.ts';
import { runSummaryView } from './agent-views.ts';
import { serviceView } from './extension-views.ts';
import { hubView } from './hub-views.ts';
import { callView, sourceHealthView, sourceView } from './tool-views.ts';

/**
 * What a running Luna shows of itself. The server answers with these, the UI and the command line read them;
 * none of them holds a secret unless its name says so.
 */

export * from './configuration-views.ts';
export * from './extension-views.ts';
export * from './hub-views.ts';
export * from './tool-views.ts';

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

export const errorView = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    details: z.record(z.string(), z.unknown()).optional(),
    requestId: z.string().optional().describe('Finds what the log has of the request.'),
  }),
});

export type StatusView = z.infer<typeof statusView>;
export type HealthView = z.infer<typeof healthView>;
export type LunaEvent = z.infer<typeof lunaEvent>;
export type ErrorView = z.infer<typeof errorView>;
