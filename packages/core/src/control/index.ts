export {
  agentKeyName,
  type HomePaths,
  homePaths,
  hubKeyName,
  mainHubName,
  supervisorTokenName,
} from '../config/index.ts';
export {
  type ScheduleChange,
  type ScheduleRunView,
  type ScheduleTimesView,
  type ScheduleView,
  scheduleChange,
  scheduleDefinition,
  scheduleRunView,
  scheduleTimesView,
  scheduleView,
  scheduleWhen,
} from '../schedule/index.ts';
export {
  type BegunPhase,
  type StartPhase,
  type StartPhaseName,
  StartPhases,
  startPhaseNames,
  startPhaseView,
} from '../supervisor/index.ts';
export { Administration, type ServerChange } from './administration.ts';
export { AgentAdministration, type NewPreset, type PresetChange } from './agent-administration.ts';
export {
  type AgentModelView,
  type AgentView,
  agentModelView,
  agentView,
  type PresetToolView,
  type PresetView,
  presetToolView,
  presetView,
  type RunSummaryView,
  type RunView,
  runSummaryView,
  runView,
} from './agent-views.ts';
export { LunaAgents } from './agents.ts';
export {
  type BackupOptions,
  type BackupOutcome,
  createBackup,
  inspectBackup,
  type RestoreOptions,
  type RestoreOutcome,
  restoreBackup,
} from './backup/index.ts';
export { clientAddress } from './client-address.ts';
export { ConfigurationFile } from './configuration-file.ts';
export { createLuna } from './create-luna.ts';
export { EnvironmentKeys, keysOfHome } from './environment-keys.ts';
export type { ExtensionRoute } from './extension-services/index.ts';
export type { HubChange } from './hub-changes.ts';
export { type HubHealth, healthOfHub, type PluginHealth } from './hub-health.ts';
export type { RunningHub } from './hubs.ts';
export { KeyGuessing } from './key-guessing.ts';
export { hashOfKey, keyOpens, keysEqual, makeKey } from './keys.ts';
export { Luna } from './luna.ts';
export type { LunaOptions } from './luna-options.ts';
export type { NewServer } from './new-servers.ts';
export type { ScheduledAgents, ScheduledPrompt } from './schedules.ts';
export {
  type AppliedConfigView,
  appliedConfigView,
  type CallView,
  type ClientSetupView,
  callView,
  clientSetupView,
  type EnvironmentKeyView,
  type ErrorView,
  type ExportedConfigView,
  type ExtensionDetailView,
  type ExtensionView,
  environmentKeyView,
  errorView,
  exportedConfigView,
  extensionDetailView,
  extensionView,
  type HealthView,
  type HubView,
  type HubWithKeyView,
  healthView,
  hubView,
  hubWithKeyView,
  type ImportOutcomeView,
  importOutcomeView,
  type LunaEvent,
  lunaEvent,
  type MergedKeysView,
  mergedKeysView,
  type OAuthClientView,
  oauthClientView,
  type PendingToolView,
  pendingToolView,
  type RemoteServerView,
  type RequiredKeyView,
  remoteServerView,
  requiredKeyView,
  type ServiceView,
  type SourceHealthView,
  type SourceView,
  type StatusView,
  serviceView,
  sourceHealthView,
  sourceView,
  statusView,
  type ToolCallAnswerView,
  type ToolsBySourceView,
  type ToolView,
  toolCallAnswerView,
  toolsBySourceView,
  toolView,
} from './views.ts';
