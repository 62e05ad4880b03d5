import { type Tool, ToolPipeline, ToolRegistry, type ToolSource, textResult } from '@luna/core/tools';

// A source of one's own: an object that lists tools and calls them.
const tools: Tool[] = [{ name: 'time', description: 'Tells the time.', inputSchema: { type: 'object' } }];
const clock: ToolSource = {
  id: 'clock',
  kind: 'example',
  list: () => tools,
  call: async () => textResult(new Date().toISOString()),
  onChange: () => () => undefined,
  health: () => ({ status: 'ready' }),
  start: async () => undefined,
  close: async () => undefined,
};

const registry = new ToolRegistry();
registry.add(clock);
const pipeline = new ToolPipeline(registry);
console.log([...registry.tools().keys()]);
console.log(await pipeline.call({ name: 'time', caller: { kind: 'script' } }));
