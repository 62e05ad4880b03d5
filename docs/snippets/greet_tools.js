export const TOOLS = [
  {
    name: 'greet',
    description: 'Greets someone.',
    input: {
      type: 'object',
      properties: { name: { type: 'string' }, times: { type: 'integer', minimum: 1, default: 1 } },
      required: ['name'],
      additionalProperties: false,
    },
    /** @param {{ name: string, times: number }} args */
    handler: ({ name, times }) => `Hello, ${name}! `.repeat(times).trim(),
  },
];
