import { mkdir, readFile } from 'node:fs/promises';
import {
  agentKeyName,
  ConfigStore,
  EnvFile,
  type HomePaths,
  homePaths,
  masterConfigJsonSchema,
  setFolderAside,
  supervisorTokenName,
  writeFileDurably,
} from '../config/index.ts';
import { systemCodeOf } from '../errors/index.ts';
import { ExternalServices } from '../services/index.ts';
import { openStore } from '../store/index.ts';
import { StartPhases, Supervisor, takeLock } from '../supervisor/index.ts';
import { unpackZip, updatesWait } from '../updates/index.ts';
import { agentKeyPrefix, makeKey } from './keys.ts';
import { Luna } from './luna.ts';
import type { LunaOptions } from './luna-options.ts';
import { readPins } from './pins-file.ts';

/**
 * Makes a Luna on a home: takes its lock, completes `.env`, opens the configuration. Nothing runs before
 * {@link Luna.start}. Throws `already_running` when the home is in use and `config_invalid`, with file, line and
 * column, when `master_config.json` cannot be read; the file is left as it is.
 */
export async function createLuna(options: LunaOptions): Promise<Luna> {
  const paths = homePaths(options.home);
  await mkdir(paths.extensions, { recursive: true });
  const { owner } = options;
  const startPhases = new StartPhases(options.onPhase);
  const lock = owner === undefined ? await takeLock(paths.lock) : { owner, release: async () => undefined };
  try {
    const env = new EnvFile(paths.env);
    const values = await env.read();
    if (!values[supervisorTokenName]) await env.set({ [supervisorTokenName]: makeKey('luna-admin-') });
    if (!values[agentKeyName]) await env.set({ [agentKeyName]: makeKey(agentKeyPrefix) });
    // What waits there is done by Luna.start, before anything else runs.
    const updateQueue = startPhases.begin('update_queue');
    if (!(await updatesWait(paths.extensions, paths.generated))) updateQueue.done('Nothing waits.');
    const config = await startPhases.run('config', () => openConfig(paths), configDetail);
    const pins = await readPins(paths.pinnedTools);
    const store = await openStore(paths.database);
    let luna: Luna | undefined;
    const early: string[] = [];
    const supervisor = new Supervisor({
      logsFolder: paths.logs,
      stateFile: paths.state,
      owner: lock.owner,
      onChange: () => luna?.servicesChanged(),
    });
    await supervisor.assertAlone();
    const externalServices = await ExternalServices.open({
      unpack: unpackZip,
      ...options.externalServices,
      home: paths.root,
      folder: paths.externalServices,
      registryFile: paths.externalServiceRegistry,
      routesFile: paths.externalServiceRoutes,
      logFolder: paths.externalServiceLogs,
      env,
      owner: lock.owner,
      onEvent: (event) => luna?.externalServicesChanged(event),
      onError: (message) => (luna ? luna.logError('external-services', message) : early.push(message)),
    });
    luna = new Luna(options, { paths, lock, config, env, store, pins, supervisor, externalServices, startPhases });
    for (const message of early) luna.logError('external-services', message);
    return luna;
  } catch (thrown) {
    await lock.release();
    throw thrown;
  }
}

async function openConfig(paths: HomePaths): Promise<ConfigStore> {
  const config = await ConfigStore.open({
    file: paths.config,
    initialText: (await exampleConfig(paths.configExample)) ?? firstConfig,
  });
  await writeConfigSchema(paths.configSchema);
  return config;
}

function configDetail({ opened }: ConfigStore): string {
  if (opened === 'created') return 'master_config.json was created.';
  return opened === 'migrated'
    ? 'master_config.json was brought to the form of today.'
    : 'master_config.json was read.';
}

/** Leads an editor to {@link writeConfigSchema}'s file. */
const firstConfig = `${JSON.stringify({ $schema: './.luna/master_config.schema.json' }, null, 2)}\n`;

/** The schema beside the configuration, as this version has it. */
async function writeConfigSchema(file: string): Promise<void> {
  const text = `${JSON.stringify(masterConfigJsonSchema(), null, 2)}\n`;
  const present = await readFile(file, 'utf8').catch(() => undefined);
  if (present === text) return;
  await setFolderAside(file);
  await writeFileDurably(file, text, 0o644);
}

async function exampleConfig(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'ENOENT') return undefined;
    throw thrown;
  }
}
