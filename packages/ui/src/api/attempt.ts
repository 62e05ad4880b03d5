import { type QueryKey, useQueryClient } from '@tanstack/vue-query';
import { type Ref, ref } from 'vue';
import { useAct } from './act.ts';
import { messageOf } from './message-of.ts';

/** Does something that may be refused, for whoever tells of it in place: `problem` says why it was not done. */
export interface Attempt {
  readonly running: Ref<boolean>;
  readonly problem: Ref<string>;
  /** Whether it was done. What the pages show under these keys is asked for anew in either case. */
  readonly attempt: (work: () => Promise<unknown>) => Promise<boolean>;
}

export function useAttempt(...touched: readonly QueryKey[]): Attempt {
  const queries = useQueryClient();
  const running = ref(false);
  const problem = ref('');

  async function attempt(work: () => Promise<unknown>): Promise<boolean> {
    running.value = true;
    problem.value = '';
    try {
      await work();
    } catch (thrown) {
      problem.value = messageOf(thrown);
    }
    await Promise.all(touched.map((queryKey) => queries.invalidateQueries({ queryKey })));
    running.value = false;
    return problem.value === '';
  }
  return { running, problem, attempt };
}

/** Changes something; a refusal is shown at the edge of the page. What is shown under these keys is asked for anew. */
export function useChange(
  ...touched: readonly QueryKey[]
): <Result>(work: () => Promise<Result>) => Promise<Result | undefined> {
  const queries = useQueryClient();
  const act = useAct();
  return async (work) => {
    const result = await act(work);
    await Promise.all(touched.map((queryKey) => queries.invalidateQueries({ queryKey })));
    return result;
  };
}
