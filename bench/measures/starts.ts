import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadGenerator } from '../load/generator.ts';
import { messageOf } from '../message-of.ts';
import { residentBytes } from '../process-family.ts';
import type { QuietWatch } from '../quiet.ts';
import type { Settings } from '../settings.ts';
import type { Hub, HubKind, Upstream } from '../targets/target.ts';

/** What the starts of one kind of hub took: milliseconds and bytes, one figure for each round. */
export interface StartSeries {
  readonly target: string;
  readonly readyMs: number[];
  readonly firstCallMs: number[];
  readonly idleBytes: number[];
  readonly fewSessionsBytes: number[];
  readonly manySessionsBytes: number[];
  /** The same two without streams, in a hub that was started anew. */
  readonly fewBareBytes: number[];
  readonly manyBareBytes: number[];
  readonly failures: Record<string, number>;
}

const jobLimitMs = 60_000;

/** Starts each kind of hub anew in every round: time to ready and to the first call, memory idle and with sessions. */
export async function measureStartRounds(
  kinds: readonly HubKind[],
  loadFor: (name: string) => LoadGenerator,
  upstream: Upstream,
  settings: Settings,
  watch: QuietWatch,
): Promise<StartSeries[]> {
  const all = kinds.map((kind) => ({
    kind,
    series: {
      target: kind.name,
      readyMs: [],
      firstCallMs: [],
      idleBytes: [],
      fewSessionsBytes: [],
      manySessionsBytes: [],
      fewBareBytes: [],
      manyBareBytes: [],
      failures: {},
    } as StartSeries,
  }));
  for (let round = 0; round < settings.rounds; round += 1) {
    for (const { kind, series } of all) {
      await watch.untilQuiet();
      try {
        await measureStart(kind, loadFor(kind.name), upstream, settings, series);
        await measureBareSessions(kind, loadFor(kind.name), upstream, settings, series);
      } catch (thrown) {
        const message = messageOf(thrown);
        series.failures[message] = (series.failures[message] ?? 0) + 1;
      }
    }
  }
  return all.map(({ series }) => series);
}

async function measureStart(
  kind: HubKind,
  load: LoadGenerator,
  upstream: Upstream,
  settings: Settings,
  into: StartSeries,
): Promise<void> {
  const hub = await kind.start(upstream);
  try {
    const ready = performance.now();
    await load.run<'first-call'>({ kind: 'first-call', endpoint: hub.endpoint, withinMs: 20_000 }, jobLimitMs);
    into.readyMs.push(hub.readyMs);
    into.firstCallMs.push(hub.readyMs + performance.now() - ready);
    await sleep(settings.settleMs);
    into.idleBytes.push(residentBytes(hub.process.pid));
    const [few, many] = await measureSessions(hub, load, settings, true);
    into.fewSessionsBytes.push(few);
    into.manySessionsBytes.push(many);
  } finally {
    await hub.stop();
  }
}

/** Sessions of clients that have no stream open, such as those that only call tools. */
async function measureBareSessions(
  kind: HubKind,
  load: LoadGenerator,
  upstream: Upstream,
  settings: Settings,
  into: StartSeries,
): Promise<void> {
  const hub = await kind.start(upstream);
  try {
    await load.run<'first-call'>({ kind: 'first-call', endpoint: hub.endpoint, withinMs: 20_000 }, jobLimitMs);
    const [few, many] = await measureSessions(hub, load, settings, false);
    into.fewBareBytes.push(few);
    into.manyBareBytes.push(many);
  } finally {
    await hub.stop();
  }
}

/** The resident memory with few and with many sessions that do nothing. */
async function measureSessions(
  { endpoint, process }: Hub,
  load: LoadGenerator,
  { idleSessions: [few, many], settleMs }: Settings,
  withStreams: boolean,
): Promise<[number, number]> {
  const withMore = async (count: number) => {
    await load.run<'open-sessions'>({ kind: 'open-sessions', endpoint, count, withStreams }, jobLimitMs);
    await sleep(settleMs);
    return residentBytes(process.pid);
  };
  try {
    return [await withMore(few), await withMore(many - few)];
  } finally {
    await load.run<'close-sessions'>({ kind: 'close-sessions' }, jobLimitMs);
  }
}
