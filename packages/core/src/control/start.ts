import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../errors/index.ts';
import type { AgentAdministration } from './agent-administration.ts';
import type { Assembled } from './assemble.ts';
import { startLimitMs } from './changes.ts';
import { type Described, describeHubs, describeSources } from './describe.ts';
import { wantedServices } from './external-service-changes.ts';
import type { LunaParts } from './luna-options.ts';
import { counted, queueDetail, sourcesDetail } from './start-details.ts';

/** A queue that takes longer goes on while Luna starts, in milliseconds. */
const queueLimitMs = 60_000;

/** What is brought up. */
export interface Starting extends Assembled, Omit<LunaParts, 'lock' | 'pins' | 'store'> {
  readonly agentAdmin: AgentAdministration;
  readonly described: () => Described;
}

/**
 * Starts what the configuration asks for and begins to watch, phase by phase; settles when sources have had their first
 * attempt. `onReady` is told before what may wait until then. Breaks off where changes are over.
 */
export async function startLuna(luna: Starting, onReady: () => void): Promise<void> {
  const { startPhases: phases, config, env, agents, agentAdmin, changes, updates } = luna;
  const hasQueue = phases.isGoingOn('update_queue');
  const continued = hasQueue
    ? await phases.run(
        'update_queue',
        () => continueQueue(luna),
        ({ detail }) => detail,
      )
    : undefined;
  if (changes.isOver) return;
  await bringUp(luna, hasQueue);
  if (changes.isOver) return;
  const installed = luna.externalServices.installedNames().length;
  await phases.run(
    'external_services',
    () => luna.externalServices.start(wantedServices(config.config)),
    () => (installed === 0 ? 'None is installed.' : `${counted(installed, 'service')}.`),
  );
  const monitor = phases.begin('health_monitor');
  await Promise.all([config.watch(), env.watch()]);
  const surfaces = phases.begin('core_surfaces');
  await agents.start().catch((thrown: unknown) => {
    surfaces.failed(thrown);
    throw thrown;
  });
  const hubs = describeHubs(luna.described()).filter(({ enabled }) => enabled).length;
  const agentCount = agentAdmin.builtIn().length + agentAdmin.presets().length;
  surfaces.done(`${counted(hubs, 'hub')}, ${counted(agentCount, 'agent')}.`);
  await changes.watch();
  await Promise.all([luna.reconciler.settled(startLimitMs), luna.supervisor.settled(startLimitMs)]);
  const sources = await describeSources(luna.described());
  const services = await luna.services.describe();
  phases.begin('extensions').done(sourcesDetail(sources, services));
  await luna.schedules.scheduler.start();
  monitor.done('Files, sources and services are watched.');
  onReady();
  luna.events.emit({ type: 'sources.changed' });
  if (!continued?.isTried) await updates.resume();
  await luna.autoUpdates.start();
}

/** The first time that everything is made as the configuration asks for. */
function bringUp(luna: Starting, isRecovered: boolean): Promise<void> {
  const { startPhases: phases, config, changes, supervisor, updates, onLog } = luna;
  return changes.exclusively(async () => {
    if (changes.isOver) return;
    changes.begin();
    const { etag } = config.state;
    const synced = () => (config.state.etag === etag ? 'Nothing to add.' : 'master_config.json was completed.');
    // A file that cannot be written keeps nobody from starting.
    await phases
      .run('config_sync', () => changes.sync(), synced)
      .catch((thrown: unknown) => onLog('config', String(thrown)));
    const reset = async () => {
      const ended = await supervisor.reset();
      if (!isRecovered) await updates.recover();
      return ended;
    };
    await phases.run('state_reset', reset, (ended) =>
      ended === 0 ? 'Nothing was left running.' : `${counted(ended, 'process')} of an earlier Luna ended.`,
    );
    phases.begin('core_surfaces');
    await changes.applySurfaces();
    phases.begin('extensions');
    await changes.applySources();
  });
}

/** What came of the queue that an earlier Luna left, and whether it was begun here. */
interface Continued {
  readonly detail: string;
  readonly isTried: boolean;
}

/** Does what an earlier Luna left to do to extensions, while nothing else of them runs. Says what came of it. */
async function continueQueue({ supervisor, updates }: Starting): Promise<Continued> {
  await supervisor.reset();
  await updates.recover();
  const { queue } = await updates.current().catch(() => ({ queue: null }));
  // These take part in what runs, and are not there yet.
  const isTried =
    queue?.operations.every(({ type }) => type === 'install' || type === 'update' || type === 'delete') ?? false;
  if (isTried) {
    await updates.resume();
    await Promise.race([updates.idle(), sleep(queueLimitMs, undefined, { ref: false })]);
  }
  const isBusy = updates.isBusy;
  const detail = await updates.current().then(
    (current) => queueDetail(current, isBusy),
    (thrown: unknown) => messageOf(thrown),
  );
  return { detail, isTried };
}
