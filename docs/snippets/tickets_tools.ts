import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defineTool } from '@luna/core/tools';
import { z } from 'zod';

const page = z.array(z.object({ id: z.number(), title: z.string() }));

export const TOOLS = [
  defineTool({
    name: 'tickets_export',
    title: 'Export tickets',
    description: 'Fetches the open tickets of a project and keeps a copy of them in a file.',
    input: z.object({
      project: z
        .string()
        .regex(/^[a-z0-9-]+$/)
        .describe('The short name of the project.'),
      pages: z.number().int().min(1).max(50).default(3).describe('How many pages of tickets.'),
    }),
    output: z.object({ count: z.number(), file: z.string() }),
    annotations: { readOnlyHint: false, destructiveHint: false, openWorldHint: true },
    examples: [{ prompt: 'Save the tickets of the moon project.', args: { project: 'moon' } }],
    handler: async ({ project, pages }, { signal, progress, dataDir }) => {
      const { TICKETS_URL, TICKETS_TOKEN } = process.env;
      if (!TICKETS_URL || !TICKETS_TOKEN) return [false, 'Set TICKETS_URL and TICKETS_TOKEN in .env of the home.'];
      const tickets = [];
      for (let number = 1; number <= pages; number++) {
        progress({ progress: number, total: pages, message: `Page ${number} of ${project}` });
        const url = `${TICKETS_URL}/${project}?page=${number}`;
        const response = await fetch(url, { signal, headers: { authorization: `Bearer ${TICKETS_TOKEN}` } });
        if (!response.ok) return [false, `The ticket service answered with HTTP ${response.status}.`];
        tickets.push(...page.parse(await response.json()));
      }
      await mkdir(dataDir, { recursive: true });
      const file = join(dataDir, `${project}.json`);
      await writeFile(file, JSON.stringify(tickets, null, 2));
      return { count: tickets.length, file };
    },
  }),
];
