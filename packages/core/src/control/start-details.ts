import type { CurrentQueueView } from '../updates/index.ts';
import type { SourceView } from './views.ts';

/** What came of a phase of the start, in a sentence for people. */

export function queueDetail({ queue, last }: CurrentQueueView, isBusy: boolean): string {
  if (isBusy) return 'The queue takes longer; it goes on while Luna starts.';
  if (last?.outcome === 'done') return `${counted(last.operations.length, 'operation')} done.`;
  if (last) return `The queue was not done: ${last.reason ?? last.outcome} See "luna ext queue".`;
  if (queue?.status === 'parked') return 'The queue is parked; see "luna ext queue".';
  if (queue) return 'The queue goes on as soon as Luna is ready.';
  return 'What an earlier Luna left was brought to an end.';
}

export function sourcesDetail(sources: readonly SourceView[], programs: readonly { name: string; status: string }[]) {
  const on = sources.filter(({ enabled }) => enabled);
  const troubled = [
    ...on.filter(({ health }) => health.status !== 'ready').map(({ id, health }) => `${id} is ${health.status}`),
    ...programs.filter(({ status }) => status !== 'running').map(({ name, status }) => `${name} is ${status}`),
  ];
  const all = [
    counted(on.length, 'source'),
    ...(programs.length > 0 ? [counted(programs.length, 'program')] : []),
  ].join(', ');
  return troubled.length === 0 ? `${all}.` : `${all}; ${troubled.join(', ')}.`;
}

/** `1 hub`, `2 hubs`. */
export function counted(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? '' : 's'}`;
}
