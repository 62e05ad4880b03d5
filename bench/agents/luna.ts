// A whole Luna with its server, on a home of its own, in front of the model.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const home = await mkdtemp(join(tmpdir(), 'luna-bench-'));
await mkdir(join(home, 'extensions/m/tools'), { recursive: true });
await writeFile(
  join(home, 'extensions/m/tools/m_tools.js'),
  'export const TOOLS = [{ name: "add", description: "Adds.", handler: ({ a, b }) => String(a + b) }];',
);
await writeFile(join(home, '.env'), `OPENAI_BASE_URL=${process.argv[2]}\nAGENT_API_KEY=sk-luna-bench\n`);
const preset = { tool_config: { add: { enabled: true } } };
await writeFile(
  join(home, 'master_config.json'),
  JSON.stringify({ luna: { default_llm: 'bench' }, agent_presets: { adder: preset } }),
);
const { startServer } = await import('../../packages/server/dist/launcher.js');
const { readSettings } = await import('../../packages/server/dist/settings.js');
const running = await startServer({ settings: await readSettings({ home, port: '0' }, {}) });
process.once('SIGTERM', async () => {
  await running.close();
  await rm(home, { recursive: true, force: true });
  process.exit(0);
});
process.send?.({ url: `${running.url}/v1` });
