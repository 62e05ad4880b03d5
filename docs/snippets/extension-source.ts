import { ExtensionSource, watchFolders } from '@luna/core/sources';
import { ToolPipeline, ToolRegistry, timeout } from '@luna/core/tools';

const registry = new ToolRegistry();
const dice = new ExtensionSource({ folder: './extensions/dice', onLog: (line) => console.error(line) });
registry.add(dice);
await dice.start();

// The source does not watch its own folder; this does, and loads what was saved.
const watcher = await watchFolders('./extensions', (folder) => {
  if (folder === dice.id) void dice.reload();
});

const pipeline = new ToolPipeline(registry).use(timeout({ idleMs: 30_000, absoluteMs: 120_000 }));
console.log(await pipeline.call({ name: 'roll_dice', args: { sides: 20 }, caller: { kind: 'script' } }));

await watcher.close();
await dice.close();
