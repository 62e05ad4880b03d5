import type { StartPhase } from '@luna/core/control';

/** The phases of a start as people read them, in the order in which they begin. */
const labels: Readonly<Record<StartPhase['name'], string>> = {
  update_queue: 'Queue',
  config: 'Configuration',
  config_sync: 'New extensions, hubs and keys',
  state_reset: 'What an earlier Luna left',
  core_surfaces: 'Hubs and agents',
  extensions: 'Extensions, servers and plugins',
  external_services: 'External services',
  health_monitor: 'Watching',
  summary: 'Addresses',
};

export interface ShownStartPhase extends StartPhase {
  readonly label: string;
  readonly look: StartPhase['state'] | 'troubled';
}

export function startPhasesShown(phases: readonly StartPhase[]): ShownStartPhase[] {
  // A newer Luna may know more of them.
  return phases.map((phase) => ({
    ...phase,
    label: labels[phase.name] ?? phase.name,
    look: phase.state === 'done' && phase.troubled ? 'troubled' : phase.state,
  }));
}

/** Whether the start is over: the last phase has ended. */
export function hasStarted(phases: readonly StartPhase[]): boolean {
  return phases.some(({ name, state }) => name === 'summary' && state !== 'started');
}

/** How far a start is, in a few words: what the rest waits for, and how many phases are over. */
export function reachedText(phases: readonly StartPhase[]): string {
  const over = phases.filter(({ state }) => state !== 'started').length;
  // Several may go on at a time. The earliest is what the rest waits for.
  const now = startPhasesShown(phases).find(({ state }) => state === 'started');
  const count = `${over} of ${Object.keys(labels).length} phases are over`;
  return now ? `${now.label} (${count}).` : `${count}.`;
}

/** How long the start took, in milliseconds: from the beginning of its first phase to the end of its last. */
export function startDuration(phases: readonly StartPhase[]): number {
  if (phases.length === 0) return 0;
  const ends = phases.map(({ startedAt, durationMs }) => startedAt + durationMs);
  return Math.max(...ends) - Math.min(...phases.map(({ startedAt }) => startedAt));
}
