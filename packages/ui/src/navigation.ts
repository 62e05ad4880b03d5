/** The pages, in groups with a line between them. */
export const pageGroups = [
  [{ label: 'Dashboard', icon: 'i-lucide-gauge', to: '/', exact: true }],
  [
    { label: 'Tools', icon: 'i-lucide-wrench', to: '/tools' },
    { label: 'Hubs', icon: 'i-lucide-waypoints', to: '/hubs' },
    { label: 'Sources', icon: 'i-lucide-blocks', to: '/sources' },
  ],
  [
    { label: 'Extensions', icon: 'i-lucide-puzzle', to: '/extensions' },
    { label: 'Queue', icon: 'i-lucide-list-todo', to: '/queue' },
    { label: 'Services', icon: 'i-lucide-server-cog', to: '/services' },
    { label: 'External services', icon: 'i-lucide-database', to: '/external-services' },
  ],
  [
    { label: 'Agents', icon: 'i-lucide-bot', to: '/agents' },
    { label: 'Runs', icon: 'i-lucide-list-tree', to: '/runs' },
    { label: 'Schedules', icon: 'i-lucide-calendar-clock', to: '/schedules' },
  ],
  [
    { label: 'Log', icon: 'i-lucide-scroll-text', to: '/log' },
    { label: 'Keys', icon: 'i-lucide-key-round', to: '/keys' },
    { label: 'Account', icon: 'i-lucide-user-round', to: '/account' },
  ],
];
