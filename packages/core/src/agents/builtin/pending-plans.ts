import { randomBytes } from 'node:crypto';
import type { Plan } from './plan.ts';

/** Calls for which a person is asked, and what was found out before. */
export interface PendingPlan {
  /** The preset or agent that asks. */
  readonly agent: string;
  readonly calls: Plan['calls'];
  /** Results of the calls that needed no asking, as the planner gets them. */
  readonly results: readonly object[];
}

const lifeMs = 3_600_000;
const maxPlans = 1_000;

/** Plans that wait for a yes, in memory: after a restart the agent plans and asks anew. */
export class PendingPlans {
  readonly #plans = new Map<string, PendingPlan & { readonly expires: number }>();

  /** Keeps a plan; returns the id by which the conversation leads back to it. */
  keep(plan: PendingPlan): string {
    for (const [id, { expires }] of this.#plans)
      if (expires < Date.now() || this.#plans.size >= maxPlans) this.#plans.delete(id);
    const id = randomBytes(9).toString('base64url');
    this.#plans.set(id, { ...plan, expires: Date.now() + lifeMs });
    return id;
  }

  /** Takes a plan out: it can be agreed to once. */
  take(id: string, agent: string): PendingPlan | undefined {
    const plan = this.#plans.get(id);
    if (!plan || plan.agent !== agent) return undefined;
    this.#plans.delete(id);
    return plan.expires < Date.now() ? undefined : plan;
  }
}
