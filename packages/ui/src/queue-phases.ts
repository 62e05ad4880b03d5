import type { QueueProgress, UpdateOperation, UpdatePhase } from '@luna/core/updates';

/** The phases of a queue, in the order in which they come, as people read them. */
export const phaseLabels: Readonly<Record<UpdatePhase, string>> = {
  delete: 'Remove',
  install: 'Put new ones beside',
  update: 'Put updates beside',
  external_services: 'External services',
  core: 'Luna itself',
  dependencies: 'Packages, and the switch',
  config_sync: 'Configuration',
};

/** In which phases there is something to do for an operation of each kind. */
const phasesOf: Readonly<Record<UpdateOperation['type'], readonly UpdatePhase[]>> = {
  delete: ['delete'],
  install: ['install', 'dependencies'],
  update: ['update', 'dependencies'],
  install_external_service: ['external_services'],
  update_core: ['core'],
};

export interface ShownPhase {
  readonly phase: UpdatePhase;
  readonly label: string;
  readonly state: 'waiting' | 'now' | 'over';
}

/** The phases that these operations go through, and how far they are by what was told last. */
export function phasesShown(
  operations: readonly { readonly type: UpdateOperation['type'] }[],
  latest: Pick<QueueProgress, 'phase'> | undefined,
): ShownPhase[] {
  const wanted = new Set<UpdatePhase>([...operations.flatMap(({ type }) => phasesOf[type]), 'config_sync']);
  const order = Object.keys(phaseLabels) as UpdatePhase[];
  const now = latest ? order.indexOf(latest.phase) : -1;
  return order
    .filter((phase) => wanted.has(phase))
    .map((phase) => {
      const place = order.indexOf(phase);
      const state = place === now ? 'now' : place < now ? 'over' : 'waiting';
      return { phase, label: phaseLabels[phase], state };
    });
}

/** A line of the progress as it is shown. */
export function progressText({ phase, name, message }: QueueProgress): string {
  const about = name === undefined || message.includes(name) ? '' : `${name}: `;
  return `${phaseLabels[phase]} · ${about}${message}`;
}
