/** How the queue looks by its status; `said` follows a number. */
export const queueLooks = {
  waiting: { color: 'neutral', icon: 'i-lucide-clock', label: 'Waits', said: 'waiting' },
  applying: { color: 'info', icon: 'i-lucide-loader-circle', label: 'Is being applied', said: 'under way' },
  failed: { color: 'error', icon: 'i-lucide-circle-x', label: 'Failed', said: 'failed' },
  parked: { color: 'error', icon: 'i-lucide-circle-pause', label: 'Parked', said: 'parked' },
} as const;
