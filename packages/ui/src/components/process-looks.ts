/** How the statuses of programs look that Luna keeps running. */
export const processLooks = {
  starting: { color: 'info', icon: 'i-lucide-loader-circle', label: 'Starting' },
  running: { color: 'success', icon: 'i-lucide-circle-check', label: 'Running' },
  unhealthy: { color: 'warning', icon: 'i-lucide-triangle-alert', label: 'Unhealthy' },
  backoff: { color: 'warning', icon: 'i-lucide-rotate-cw', label: 'Starting again' },
  failed: { color: 'error', icon: 'i-lucide-circle-x', label: 'Failed' },
  stopping: { color: 'neutral', icon: 'i-lucide-loader-circle', label: 'Stopping' },
  stopped: { color: 'neutral', icon: 'i-lucide-circle-pause', label: 'Stopped' },
} as const;

/** Whether a program, or an external service, does not run as it should. */
export function isUnwell(status: string): boolean {
  return ['unhealthy', 'backoff', 'failed', 'install_failed'].includes(status);
}
