import { defineTool } from '@luna/core/tools';
import { z } from 'zod';

const roll = defineTool({
  name: 'roll_dice',
  description: 'Rolls dice.',
  input: z.object({ sides: z.number().int().min(2).default(6) }),
  handler: ({ sides }) => `You rolled ${1 + Math.floor(Math.random() * sides)}.`,
});
export const TOOLS = [roll];
