import { messageOf } from './message-of.ts';
import { Phases } from './phases.ts';
import { stopAll } from './processes.ts';
import { describeProfiles } from './profiles.ts';
import { report } from './report.ts';
import { type Results, thisMachine, writeResults } from './results.ts';
import { type Phase, readSettings, type Settings, usage } from './settings.ts';
import { luna } from './targets/luna.ts';
import { mcpHub } from './targets/mcp-hub.ts';
import { relay } from './targets/relay.ts';
import { sdkHub } from './targets/sdk-hub.ts';
import type { HubKind } from './targets/target.ts';
import { startUpstream } from './targets/upstream.ts';

/** One run of the benchmarks, from the command line to the printed tables. */

const allKinds = [luna, relay, mcpHub, sdkHub];

/** The targets that the person chose. Throws when a name is not one of them. */
function chosenKinds(only: Settings['only']): HubKind[] {
  const names = new Set(['direct', ...allKinds.map((kind) => kind.name.toLowerCase())]);
  const unknown = [...(only ?? [])].find((name) => !names.has(name));
  if (unknown !== undefined) throw new Error(`There is no target "${unknown}". Choose from ${[...names].join(', ')}.`);
  return allKinds.filter((kind) => only?.has(kind.name.toLowerCase()) ?? true);
}

async function run(settings: Settings): Promise<Results> {
  const wanted = chosenKinds(settings.only);
  const skipped = Object.fromEntries(
    wanted.flatMap((kind) => [kind.missing()].flatMap((why) => (why === undefined ? [] : [[kind.name, why]]))),
  );
  for (const [name, why] of Object.entries(skipped)) console.error(`NOT MEASURED: ${name}. ${why}`);
  const kinds = wanted.filter((kind) => !(kind.name in skipped));
  const phases = new Phases(kinds, await startUpstream(), settings);
  const measured = async <T>(phase: Phase, measure: () => Promise<T[]>) => {
    if (!settings.phases.has(phase)) return [];
    console.error(`Measuring ${phase} ...`);
    return measure();
  };
  return {
    at: new Date().toISOString(),
    machine: thisMachine(),
    settings: { rounds: settings.rounds, seconds: settings.measureMs / 1000, idleSessions: settings.idleSessions },
    skipped,
    calls: await measured('calls', () => phases.calls()),
    sizes: await measured('sizes', () => phases.sizes()),
    lists: await measured('lists', () => phases.lists()),
    starts: await measured('starts', () => phases.starts()),
  };
}

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  if (args.includes('--help')) return console.log(usage);
  const settings = readSettings(args);
  const results = await run(settings);
  console.log(report(results));
  if (settings.profile !== undefined) console.log(`\n${await describeProfiles(settings.profile)}`);
  console.log(`\nAll figures: ${await writeResults(results)}`);
}

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  process.once(signal, () => {
    console.error('Stopping what was started ...');
    void stopAll().finally(() => process.exit(code));
  });
}

try {
  await main();
} catch (thrown) {
  console.error(`The benchmarks failed: ${messageOf(thrown)}`);
  process.exitCode = 1;
} finally {
  await stopAll();
}
