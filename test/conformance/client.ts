import { McpSource } from '@luna/core/sources';
import type { CallClient, McpObject } from '@luna/core/tools';

/**
 * The client that the conformance suite drives: Luna's own side towards MCP servers. It connects to the address that is
 * its last argument, lists everything, and calls each tool once with plain arguments.
 */

const url = new URL(process.argv.at(-1) ?? '');
const source = new McpSource({ id: 'suite', target: { kind: 'http', url }, onLog: (line) => console.error(line) });

/** What a person does who takes each form as it is: the defaults are the answers. */
function answer(method: string, params: McpObject): McpObject {
  if (method === 'roots/list') return { roots: [] };
  if (method === 'sampling/createMessage')
    return { role: 'assistant', model: 'none', content: { type: 'text', text: 'An answer.' } };
  const { properties = {} } = (params.requestedSchema ?? {}) as { properties?: Record<string, McpObject> };
  const content = Object.entries(properties).map(([name, schema]) => [name, schema.default ?? exampleOf(schema)]);
  return { action: 'accept', content: Object.fromEntries(content) };
}

function exampleOf({ type }: McpObject): unknown {
  return { string: 'text', integer: 1, number: 1, boolean: true, array: [] }[String(type)] ?? 'text';
}

const client: CallClient = {
  key: 'suite',
  capabilities: { elicitation: { form: { applyDefaults: true } }, sampling: {}, roots: {} },
  takesQuestionsAsResults: false,
  ask: async (method, params) => answer(method, params),
  tell: () => undefined,
};

/** Arguments that the suite gives for a tool, or one plain value for each that is required. */
function argumentsOf(name: string, schema: McpObject): Record<string, unknown> {
  const context = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? '{}');
  const given = context.toolCalls?.find?.((call: { name: string }) => call.name === name)?.arguments;
  if (given) return given;
  // This one wants to see the schema of its neighbour as the client has understood it.
  if (name === 'json_schema_echo') return { schema: source.list().find((tool) => tool.name !== name)?.inputSchema };
  const { properties = {}, required = [] } = schema as {
    properties?: Record<string, McpObject>;
    required?: string[];
  };
  return Object.fromEntries(required.map((one) => [one, exampleOf(properties[one] ?? {})]));
}

await source.start();
for (const { name, inputSchema } of source.list()) {
  try {
    const call = { signal: AbortSignal.timeout(20_000), client };
    console.log(JSON.stringify(await source.call(name, argumentsOf(name, inputSchema), call)));
  } catch (thrown) {
    console.error(`${name}: ${String(thrown)}`);
  }
}
const { status, reason } = source.health();
await source.close();
if (status !== 'ready') {
  console.error(reason);
  process.exitCode = 1;
}
