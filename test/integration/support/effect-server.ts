import { appendFileSync } from 'node:fs';
import { setTimeout as passed } from 'node:timers/promises';
import { McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { z } from 'zod';

/** An MCP server for tests whose tool leaves a mark in a file, and which can die at a point of one's choice. */
const file = process.argv[2] ?? '';

serveStdio(() => {
  const server = new McpServer({ name: 'effect-server', version: '1.0.0' });
  server.registerTool(
    'mark',
    {
      description: 'Leaves a mark.',
      inputSchema: z.object({ text: z.string(), die: z.enum(['before', 'after', 'never', 'hang']).optional() }),
    },
    async ({ text, die }) => {
      if (die === 'before') process.exit(1);
      appendFileSync(file, `${text}\n`);
      if (die === 'after') process.exit(1);
      if (die === 'hang') await passed(60_000);
      return { content: [{ type: 'text', text: `marked ${text}` }] };
    },
  );
  return server;
});
