export {
  Administration,
  type HubChange,
  type NewServer,
  type ServerChange,
} from './administration.ts';
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
export { EnvironmentKeys, keysOfHome } from './environment-keys.ts';
export { type HomePaths, homePaths } from './home.ts';
export { mainHubName, type RunningHub } from './hubs.ts';
export { KeyGuessing } from './key-guessing.ts';
export { hashOfKey, hubKeyName, keyOpens, keysEqual, makeKey, supervisorTokenName } from './keys.ts';
export { createLuna, Luna, type LunaOptions } from './luna.ts';
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
  environmentKeyView,
  errorView,
  exportedConfigView,
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
  type SourceHealthView,
  type SourceView,
  type StatusView,
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
