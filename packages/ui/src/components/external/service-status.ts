import type { ExternalServiceView } from '@luna/core/services';
import { processLooks } from '../process-looks.ts';

/** How each status of an external service looks. */
export const statusLooks = {
  not_installed: { color: 'neutral', icon: 'i-lucide-circle-dashed', label: 'Not installed' },
  installing: { color: 'info', icon: 'i-lucide-loader-circle', label: 'Is being installed' },
  install_failed: { color: 'error', icon: 'i-lucide-circle-x', label: 'Install failed' },
  ...processLooks,
  uninstalling: { color: 'info', icon: 'i-lucide-loader-circle', label: 'Is being uninstalled' },
} as const satisfies Record<ExternalServiceView['status'], object>;
