import { defineConfig } from 'vitepress';

export default defineConfig({
  title: 'Luna',
  description: 'The self-hosted home for the tools of AI agents',
  cleanUrls: true,
  themeConfig: {
    search: { provider: 'local' },
    sidebar: [
      {
        text: 'Guides',
        items: [
          { text: 'Start in five minutes', link: '/guide/start' },
          { text: 'Connect a client', link: '/guide/connect' },
          { text: 'Write an extension', link: '/guide/extensions' },
          { text: 'Add MCP servers', link: '/guide/mcp-servers' },
          { text: 'Hubs and switches', link: '/guide/hubs' },
          { text: 'Run it for a team', link: '/guide/team' },
          { text: 'Use the parts in your own app', link: '/guide/embed' },
        ],
      },
      {
        text: 'Reference',
        items: [
          { text: 'The luna command', link: '/reference/command-line' },
          { text: 'master_config.json', link: '/reference/configuration' },
          { text: 'Environment', link: '/reference/environment' },
          { text: 'HTTP routes', link: '/reference/http' },
          { text: 'Errors', link: '/reference/errors' },
        ],
      },
    ],
  },
});
