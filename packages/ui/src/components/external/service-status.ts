import type { ExternalServiceView } from '@luna/core/services';

/** How each status of an external service looks. */
export const statusLooks = {
  not_installed: { color: 'neutral', icon: 'i-lucide-circle-dashed', label: 'Not installed' },
  installing: { color: 'info', icon: 'i-lucide-loader-circle', label: 'Is being installed' },
  install_failed: { color: 'error', icon: 'i-lucide-circle-x', label: 'Install failed' },
  starting: { color: 'info', icon: 'i-lucide-loader-circle', label: 'Starting' },
  running: { color: 'success', icon: 'i-lucide-circle-check', label: 'Running' },
  unhealthy: { color: 'warning', icon: 'i-lucide-triangle-alert', label: 'Unhealthy' },
  failed: { color: 'error', icon: 'i-lucide-circle-x', label: 'Failed' },
  stopping: { color: 'neutral', icon: 'i-lucide-loader-circle', label: 'Stopping' },
  stopped: { color: 'neutral', icon: 'i-lucide-circle-pause', label: 'Stopped' },
  uninstalling: { color: 'info', icon: 'i-lucide-loader-circle', label: 'Is being uninstalled' },
} as const satisfies Record<ExternalServiceView['status'], object>;
