/** How a thing that keeps failing is tried again. All times in milliseconds. */
export interface RestartPolicy {
  /** The waits before the first, second, … attempt after a failure; the last one repeats. */
  readonly delaysMs: readonly number[];
  /** Failures in a row after which nothing more is tried. Left out: never give up. */
  readonly giveUpAfter?: number;
  /** After this long without a failure the count begins anew. */
  readonly resetAfterMs: number;
}

/** At once, then 1, 2, 4 … 60 s; gives up after 5 quick failures; forgets after 10 healthy minutes. */
export const processRestartPolicy: RestartPolicy = {
  delaysMs: [0, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000],
  giveUpAfter: 5,
  resetAfterMs: 600_000,
};

/** For what runs elsewhere: at once, then up to 20 s apart, for ever. */
export const remoteRestartPolicy: RestartPolicy = {
  delaysMs: [0, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 20_000],
  resetAfterMs: 60_000,
};

/** What is known of earlier failures. */
export interface RestartHistory {
  readonly failures: number;
}

export const noFailures: RestartHistory = { failures: 0 };

/** The next step after a failure: wait so long, or give up. `healthyMs` is how long it had worked before it failed. */
export function afterFailure(
  policy: RestartPolicy,
  history: RestartHistory,
  healthyMs: number,
): { history: RestartHistory; delayMs: number | 'give-up' } {
  const failures = healthyMs >= policy.resetAfterMs ? 1 : history.failures + 1;
  if (policy.giveUpAfter !== undefined && failures >= policy.giveUpAfter)
    return { history: { failures }, delayMs: 'give-up' };
  const delayMs = policy.delaysMs[Math.min(failures, policy.delaysMs.length) - 1] ?? 0;
  return { history: { failures }, delayMs };
}
