import { defineTool, type ToolContext } from '@luna/core/tools';
import { z } from 'zod';

export const SYSTEM_PROMPT =
  'There is a whiteboard that people see. Its area is 1000 wide and 600 high; [0, 0] is the upper left corner.';

const point = z.tuple([z.number().min(0).max(1000), z.number().min(0).max(600)]).describe('[x, y]');
const color = z
  .string()
  .regex(/^#[0-9a-fA-F]{6}$/)
  .default('#1f2937')
  .describe('Such as #ff0000.');
const shape = z.looseObject({ id: z.number(), kind: z.enum(['line', 'text']) });

export const TOOLS = [
  defineTool({
    name: 'whiteboard_draw',
    description: 'Draws a line through points on the whiteboard. A closed shape ends where it began.',
    input: z.object({ points: z.array(point).min(2).max(5_000), color, width: z.number().min(1).max(40).default(3) }),
    output: shape,
    annotations: { destructiveHint: false, openWorldHint: false },
    examples: [
      {
        prompt: 'Draw a red triangle on the whiteboard.',
        args: {
          points: [
            [300, 400],
            [500, 100],
            [700, 400],
            [300, 400],
          ],
          color: '#ff0000',
        },
      },
    ],
    handler: (line, context) => ask(context, 'POST', { kind: 'line', ...line }),
  }),
  defineTool({
    name: 'whiteboard_write',
    description: 'Writes a line of text on the whiteboard.',
    input: z.object({ at: point, text: z.string().trim().min(1).max(500), color }),
    output: shape,
    annotations: { destructiveHint: false, openWorldHint: false },
    handler: (text, context) => ask(context, 'POST', { kind: 'text', ...text }),
  }),
  defineTool({
    name: 'whiteboard_look',
    description: 'Tells what is on the whiteboard.',
    input: z.object({}),
    output: z.object({ shapes: z.array(shape) }),
    annotations: { readOnlyHint: true, openWorldHint: false },
    handler: (_args, context) => ask(context, 'GET'),
  }),
  defineTool({
    name: 'whiteboard_clear',
    description: 'Wipes the whiteboard.',
    input: z.object({}),
    annotations: { destructiveHint: true, idempotentHint: true, openWorldHint: false },
    handler: async (_args, context) => {
      await ask(context, 'DELETE');
      return 'The whiteboard is empty.';
    },
  }),
];

async function ask({ services, signal }: ToolContext, method: string, body?: unknown) {
  if (services.board === undefined) throw new Error('The service of the whiteboard does not run. Look at its log.');
  const answer = await fetch(`${services.board}/shapes`, {
    method,
    signal,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.error);
  return said;
}
