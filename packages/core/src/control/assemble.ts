import { luaPermissionsSchema } from '../config/index.ts';
import { LuaAuthoring } from '../sources/index.ts';
import { AutoUpdates } from '../updates/index.ts';
import { LunaAgents } from './agents.ts';
import { Changes, startLimitMs } from './changes.ts';
import { configSecrets } from './config-secrets.ts';
import { ConfigurationFile } from './configuration-file.ts';
import { CoveredSecrets } from './covered-secrets.ts';
import { EnvironmentKeys } from './environment-keys.ts';
import { ExtensionServices } from './extension-services/index.ts';
import { ExternalServiceChanges } from './external-service-changes.ts';
import { Hubs } from './hubs.ts';
import { LunaEvents } from './luna-events.ts';
import type { LunaOptions, LunaParts } from './luna-options.ts';
import { OwnTools } from './own-tools.ts';
import { lunaSchedules } from './schedules.ts';
import { lunaToolCalls } from './tool-calls.ts';
import { lunaToolSources } from './tool-sources.ts';
import { openUpdates } from './updates.ts';

/** A new version of an extension that takes longer than this to load is taken back, in milliseconds. */
const extensionLoadMs = 35_000;

/** What a Luna is made of, put together. Nothing of it runs yet. */
export type Assembled = ReturnType<typeof assemble>;

/**
 * Makes the parts of a Luna and joins them. `publicUrl` is asked whenever an address is made: it may be known later.
 */
export function assemble(options: LunaOptions, parts: LunaParts, publicUrl: () => string) {
  const { paths, lock, config, env, store, pins, supervisor, externalServices } = parts;
  const { version } = options;
  const covered = new CoveredSecrets();
  const redact = (text: string) => covered.redact(text);
  const onLog = (from: string, line: string) => options.onLog?.({ from, line: redact(line) });
  const events = new LunaEvents(redact);
  const settled = (limitMs: number) => changes.settled(limitMs);
  const egress = () => ({ allowedHosts: config.config.luna.allowed_private_hosts, allowPrivateNetwork: false });
  const secrets = async (): Promise<Record<string, string>> => {
    const values = await env.read();
    covered.setValues(values, configSecrets(config.config));
    return values;
  };
  const { registry, pinnedTools, pipeline, results, callsUnderWay } = lunaToolCalls({
    paths,
    config,
    pins,
    callLimits: options.callLimits,
    onCall: (call) => events.recordCall(call),
    onCut: (caller) => ownTools.offerReader(caller),
    onWaiting: () => events.emit({ type: 'pinned-tools.changed' }),
    onLog,
  });
  const hubs = new Hubs({
    registry,
    pipeline,
    version,
    redact,
    onError: (hub, error) => onLog(`hub:${hub}`, error.message),
  });
  const services = new ExtensionServices({ paths, config, supervisor, secrets, publicUrl, redact, onLog });
  const { kinds, reconciler, authorizations, sessions, manifest } = lunaToolSources({
    paths,
    config,
    env,
    store,
    registry,
    pipeline,
    owner: lock.owner,
    version,
    otherKinds: options.kinds ?? [],
    servicesOf: (extension) => services.urlsOf(extension),
    secrets,
    egress,
    redact,
    onSecret: (token) => covered.addToken(token),
    onEvent: (event) => events.emit(event),
    onLog,
  });
  const agents = new LunaAgents({
    registry,
    pipeline,
    config: () => config.config,
    env,
    environment: options.environment ?? {},
    store,
    redact,
    folder: paths.agents,
    onRun: (run) => events.emit({ type: 'run.ended', run }),
    onChange: () => events.emit({ type: 'agents.changed' }),
    onLog: (line) => onLog('agents', line),
  });
  const schedules = lunaSchedules({
    store,
    hubs,
    pipeline,
    config: () => config.config,
    agents,
    redact,
    onEvent: (event) => events.emit(event),
    onError: (error) => onLog('schedules', error.message),
  });
  const luaAuthoring = new LuaAuthoring({
    folder: paths.lua,
    permitted: () => config.config.luna.lua_authoring_permissions ?? luaPermissionsSchema.parse({}),
    settled: async (tool) => {
      // The watcher would come to it too; whoever wrote the tool waits for it.
      await changes.entryChanged('lua', tool);
      await settled(10_000);
      return registry.source(tool)?.health();
    },
    callTool: (name, args, { signal, meta, requestId }) =>
      pipeline.call({ name, args, signal, meta, requestId, caller: { kind: 'lua', name: 'lua_tool_test' } }),
  });
  const ownTools = new OwnTools({ registry, hubs, config, results, luaAuthoring, schedules: schedules.tools });
  const changes: Changes = new Changes({
    version,
    paths,
    config,
    env,
    kinds,
    registry,
    reconciler,
    hubs,
    ownTools,
    pinnedTools,
    services,
    externalServices,
    secrets,
    onEvent: (event) => events.emit(event),
    onLog,
  });
  const externalServiceChanges = new ExternalServiceChanges({
    services: externalServices,
    config,
    settled: () => settled(0),
    onError: (message) => onLog('external-services', message),
  });
  const updates = openUpdates({
    paths,
    config,
    env,
    registry,
    owner: lock.owner,
    egress,
    installExternalService: options.installExternalService ?? externalServiceChanges.installQueued,
    ...(!options.installExternalService && { judgeExternalService: externalServiceChanges.judgeQueued }),
    updateCore: options.updateCore,
    judgeCoreUpdate: options.judgeCoreUpdate,
    exclusively: (work) => changes.exclusively(work),
    reload: async (name) => {
      await changes.entryChanged('extension', name);
      await settled(extensionLoadMs);
    },
    onEvent: (event) => events.emit(event),
    onLog: (line) => onLog('updates', line),
  });
  const autoUpdates = new AutoUpdates({
    updates,
    config,
    extensions: paths.extensions,
    file: paths.autoUpdates,
    onChange: () => events.emit({ type: 'sources.changed' }),
    onLog: (line) => onLog('updates', line),
  });
  const keys = new EnvironmentKeys({
    env,
    config: () => config.config,
    usedKeys: () => reconciler.usedKeys(config.config),
    settled: () => settled(startLimitMs),
  });
  const configurationFile = new ConfigurationFile({ config, env, settled: () => settled(startLimitMs) });
  registry.onChange(() => events.emit({ type: 'tools.changed' }));
  config.onChange((state) => changes.configChanged(state));
  env.onChange((keys) => changes.keysChanged(keys));
  return {
    redact,
    onLog,
    events,
    registry,
    pinnedTools,
    pipeline,
    results,
    callsUnderWay,
    hubs,
    services,
    reconciler,
    authorizations,
    sessions,
    manifest,
    agents,
    schedules,
    changes,
    externalServiceChanges,
    updates,
    autoUpdates,
    keys,
    configurationFile,
  };
}
