/** The fixture's tools: `echo`, which the calls go to, and generated ones that make a list as long as it has to be. */

export interface FixtureTool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly inputSchema: Record<string, unknown>;
  readonly annotations: Record<string, unknown>;
}

const verbs = ['get', 'list', 'create', 'update', 'archive', 'search', 'export', 'assign', 'approve', 'schedule'];
const nouns = [
  'invoice',
  'customer',
  'ticket',
  'order',
  'deployment',
  'document',
  'meeting',
  'branch',
  'alert',
  'shipment',
];

const echo: FixtureTool = {
  name: 'echo',
  title: 'Echo',
  description: 'Answers with the text that it was given.',
  inputSchema: {
    type: 'object',
    properties: { value: { type: 'string', description: 'The text to send back.' } },
    required: ['value'],
    additionalProperties: false,
  },
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
};

/** `echo` and as many generated tools as make `count` together; `count` is at least 1. */
export function fixtureTools(count: number): FixtureTool[] {
  return [echo, ...Array.from({ length: count - 1 }, (_, index) => generatedTool(index))];
}

function generatedTool(index: number): FixtureTool {
  const verb = verbs[index % verbs.length] ?? 'get';
  const noun = nouns[Math.floor(index / verbs.length) % nouns.length] ?? 'invoice';
  const number = String(index).padStart(4, '0');
  return {
    name: `${verb}_${noun}_${number}`,
    title: `${verb} ${noun} (${number})`,
    description: `Use this to ${verb} one ${noun} of workspace ${number}. Answers with the ${noun} as JSON, or says what was wrong.`,
    inputSchema: {
      type: 'object',
      properties: {
        id: { type: 'string', pattern: `^${noun}-[0-9]+$`, description: `The id of the ${noun}, such as ${noun}-42.` },
        fields: {
          type: 'array',
          items: { type: 'string', enum: ['id', 'title', 'state', 'owner', 'created_at'] },
          description: 'Which fields to answer with; all when left out.',
        },
        limit: {
          type: 'integer',
          minimum: 1,
          maximum: 500,
          default: 50,
          description: 'The most entries to answer with.',
        },
        filter: {
          type: 'object',
          properties: {
            state: { type: 'string', enum: ['open', 'closed', 'waiting'] },
            since: { type: 'string', format: 'date-time', description: 'Only what changed after this time.' },
          },
          additionalProperties: false,
        },
      },
      required: ['id'],
      additionalProperties: false,
    },
    annotations: { readOnlyHint: verb === 'get' || verb === 'list' || verb === 'search', openWorldHint: true },
  };
}
