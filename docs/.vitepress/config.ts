import { defineConfig } from 'vitepress';

export default defineConfig({
  title: 'Luna',
  description: 'A home for the tools of AI agents, on your own machine',
  cleanUrls: true,
  themeConfig: {
    search: { provider: 'local' },
    outline: 'deep',
    nav: [
      { text: 'Guides', link: '/guide/start', activeMatch: '/guide/' },
      { text: 'Reference', link: '/reference/command-line', activeMatch: '/reference/' },
    ],
    sidebar: [
      {
        text: 'Guides',
        items: [
          { text: 'Start in five minutes', link: '/guide/start' },
          { text: 'Connect a client', link: '/guide/connect' },
          { text: 'Install extensions', link: '/guide/installing' },
          { text: 'Write an extension', link: '/guide/extensions' },
          { text: 'Bring a UI or a service', link: '/guide/services' },
          { text: 'Programs as tools', link: '/guide/plugins' },
          { text: 'Write tools in Python', link: '/guide/python' },
          { text: 'Write a tool in Lua', link: '/guide/lua' },
          { text: 'Services over HTTP', link: '/guide/http' },
          { text: 'Add MCP servers', link: '/guide/mcp-servers' },
          { text: 'External services', link: '/guide/external-services' },
          { text: 'Hubs and tool switches', link: '/guide/hubs' },
          { text: 'Agents', link: '/guide/agents' },
          { text: 'Do things at times', link: '/guide/schedules' },
          { text: 'Sign in, and let clients in', link: '/guide/signing-in' },
          { text: 'Keys, configuration, backups', link: '/guide/configuration' },
          { text: 'Run it for a team', link: '/guide/team' },
          { text: 'Keep it running, and watch it', link: '/guide/operation' },
          { text: 'Use the parts in your own app', link: '/guide/embed' },
        ],
      },
      {
        text: 'Reference',
        items: [
          { text: 'The luna command', link: '/reference/command-line' },
          { text: 'master_config.json', link: '/reference/configuration' },
          { text: 'Settings and environment', link: '/reference/environment' },
          { text: 'HTTP routes', link: '/reference/http' },
          { text: 'Routes in detail', link: '/reference/api' },
          { text: 'Events', link: '/reference/events' },
          { text: 'Errors', link: '/reference/errors' },
          { text: 'Limits', link: '/reference/limits' },
        ],
      },
    ],
  },
});
