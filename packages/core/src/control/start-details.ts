import type { PhaseOutcome } from '../supervisor/index.ts';
import type { CurrentQueueView } from '../updates/index.ts';
import type { SourceView } from './views.ts';

/** What came of a phase of the start, in a sentence for people. */

export function queueOutcome({ queue, last }: CurrentQueueView, isBusy: boolean): PhaseOutcome {
  if (isBusy) return well('The queue takes longer; it goes on while Luna starts.');
  if (last?.outcome === 'done') return well(`${counted(last.operations.length, 'operation')} done.`);
  if (last) return troubled(`The queue was not done: ${last.reason ?? last.outcome} See "luna ext queue".`);
  if (queue?.status === 'parked') return troubled('The queue is parked; see "luna ext queue".');
  if (queue) return well('The queue goes on as soon as Luna is ready.');
  return well('What an earlier Luna left was brought to an end.');
}

export function sourcesOutcome(
  sources: readonly SourceView[],
  programs: readonly { name: string; status: string }[],
): PhaseOutcome {
  const on = sources.filter(({ enabled }) => enabled);
  const ill = [
    ...on.filter(({ health }) => health.status !== 'ready').map(({ id, health }) => `${id} is ${health.status}`),
    ...programs.filter(({ status }) => status !== 'running').map(({ name, status }) => `${name} is ${status}`),
  ];
  const all = [
    counted(on.length, 'source'),
    ...(programs.length > 0 ? [counted(programs.length, 'program')] : []),
  ].join(', ');
  return ill.length === 0 ? well(`${all}.`) : troubled(`${all}; ${ill.join(', ')}.`);
}

export function well(detail: string): PhaseOutcome {
  return { detail, troubled: false };
}

export function troubled(detail: string): PhaseOutcome {
  return { detail, troubled: true };
}

/** `1 hub`, `2 hubs`. */
export function counted(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? '' : 's'}`;
}
