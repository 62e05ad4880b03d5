import { defineTool } from '@luna/core/tools';
import { z } from 'zod';

export const TOOLS = [
  defineTool({
    name: 'hello',
    description: 'Greets someone.',
    input: z.object({ name: z.string().describe('Who is greeted.') }),
    handler: ({ name }) => `Hello, ${name}!`,
  }),
];
