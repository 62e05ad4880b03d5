import type { RunSummaryView } from '@luna/core/control';

/** How the outcomes of runs are called. */
export const outcomeLabels: Readonly<Record<RunSummaryView['outcome'], string>> = {
  ok: 'Answered',
  limit: 'At a limit',
  error: 'Failed',
  cancelled: 'Cancelled',
};
