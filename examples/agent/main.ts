import { Agents, oneModel } from '@luna/core/agents';
import { type Tool, ToolPipeline, ToolRegistry, type ToolSource, textResult } from '@luna/core/tools';

// An agent over a registry, without a server: a model that looks things up. Any OpenAI-compatible endpoint will do.
const { OPENAI_BASE_URL: baseUrl, OPENAI_API_KEY: apiKey, OPENAI_MODEL: name = 'gpt-5-mini' } = process.env;

const stock = new Map([
  ['apples', 12],
  ['pears', 0],
]);
const inputSchema = { type: 'object', properties: { fruit: { type: 'string' } }, required: ['fruit'] };
const tools: Tool[] = [{ name: 'stock', description: 'How many of a fruit there are.', inputSchema }];
const shop: ToolSource = {
  id: 'shop',
  kind: 'example',
  list: () => tools,
  call: async (_name, { fruit }) => textResult(String(stock.get(String(fruit)) ?? 'unknown')),
  onChange: () => () => undefined,
  health: () => ({ status: 'ready' }),
  start: async () => undefined,
  close: async () => undefined,
};

const registry = new ToolRegistry();
registry.add(shop);
const agents = new Agents({
  registry,
  pipeline: new ToolPipeline(registry),
  models: oneModel({ name, baseUrl, apiKey }),
});
const caller = { kind: 'script' };
const prompt = process.argv[2] ?? 'How many apples are there?';
const { text, usage } = await agents.run({ agent: 'simple_agent', prompt, caller });
console.log(text, usage);
await agents.close();
