import { useQuery } from '@tanstack/vue-query';
import { readonly, ref } from 'vue';
import { ask } from './client.ts';

/** Why Luna is away: somebody wanted it so here, or it ended for another reason. */
export type Absence = 'restart' | 'shutdown' | 'ended';

const absence = ref<Absence>();

/** Why Luna is away; undefined while it is there. */
export const currentAbsence = readonly(absence);

/** Luna said that it ends. */
export function noteEnding(): void {
  absence.value ??= 'ended';
}

/** Luna answers. Says whether it had been away. */
export function notePresence(): boolean {
  const wasAway = absence.value !== undefined;
  absence.value = undefined;
  return wasAway;
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
