import type { RunSummaryView } from '@luna/core/control';

/** How the outcomes of runs are called. */
export const outcomeLabels: Readonly<Record<RunSummaryView['outcome'], string>> = {
  ok: 'Answered',
  limit: 'At a limit',
  error: 'Failed',
  cancelled: 'Cancelled',
};

/** How the outcomes of calls of tools look. */
export const callOutcomes = {
  ok: { color: 'success', label: 'Answered' },
  tool_error: { color: 'warning', label: 'Tool failed' },
  error: { color: 'error', label: 'Not done' },
} as const;
