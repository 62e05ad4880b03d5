import type { StartPhase } from '@luna/core/control';
import { useQuery } from '@tanstack/vue-query';
import { readonly, ref, shallowRef } from 'vue';
import { hasStarted } from '../start-phases.ts';
import { ApiError, api, ask } from './client.ts';

/** Why Luna is away: somebody wanted it so here, it changes its version, or it ended or starts for another reason. */
export type Absence = 'restart' | 'update' | 'shutdown' | 'ended' | 'start';

const absence = ref<Absence>();
const reached = shallowRef<readonly StartPhase[]>([]);
/** How often a Luna that starts is asked how far it is, in milliseconds. */
const askAgainMs = 300;

/** Why Luna is away; undefined while it is there. */
export const currentAbsence = readonly(absence);

/** The phases that a start has come to, while it goes on. Empty where the server cannot tell yet. */
export const reachedPhases = readonly(reached);

/** Luna said that it ends. */
export function noteEnding(why: 'update' | 'ended'): void {
  absence.value ??= why;
}

/** The connection to a Luna that answered broke off. */
export function noteBreak(): void {
  reached.value = [];
}

/**
 * Luna answers. Follows its start to the end; then says whether it had been away. Throws when it does not take this
 * person's questions.
 */
export async function noteAnswer(signal: AbortSignal): Promise<boolean> {
  for (;;) {
    const status = await api.status().catch(orRefused);
    if (signal.aborted) return false;
    // A Luna that was brought back from before there were phases has none.
    const phases = status && (status.phases ?? []);
    if (phases && (phases.length === 0 || hasStarted(phases))) break;
    if (phases) noteStart(phases);
    await new Promise((settle) => setTimeout(settle, askAgainMs));
  }
  const wasAway = absence.value !== undefined;
  absence.value = undefined;
  reached.value = [];
  return wasAway;
}

function noteStart(phases: readonly StartPhase[]): void {
  reached.value = phases;
  if (absence.value !== 'restart' && absence.value !== 'update') absence.value = 'start';
}

/** What does not answer is asked again; what refuses is not. */
function orRefused(thrown: unknown): undefined {
  if (thrown instanceof ApiError && thrown.status >= 400 && thrown.status < 500) throw thrown;
}

/** Has Luna end, and start again if that is wanted. It is away from then on. */
export async function endLuna(how: 'restart' | 'shutdown'): Promise<void> {
  await ask('POST', `/api/supervisor/${how}`);
  absence.value = how;
}

/** Whether Luna can be ended and restarted from here. */
export const useLifecycle = () =>
  useQuery({
    queryKey: ['lifecycle'],
    queryFn: () =>
      ask<{ canShutDown: boolean; canRestart: boolean; canUpdate: boolean }>('GET', '/api/supervisor/lifecycle'),
  });
