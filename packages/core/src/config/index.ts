export {
  type AgentLimits,
  type AgentPresetConfig,
  agentLimits,
  agentPresetConfig,
  type ModelConfig,
  presetName,
} from './agent-settings.ts';
export { writeFileDurably } from './atomic-file.ts';
export { EnvFile } from './env-file.ts';
export { agentKeyName, hubKeyName, supervisorTokenName } from './env-names.ts';
export { type HomePaths, homePaths } from './home.ts';
export { type Change, differencesOf, editJsonText, jsonValueOf, parseJsonText, withoutMark } from './json-text.ts';
export { type LuaPermissions, luaPermissionsSchema } from './lua-permissions.ts';
export { mainHubName } from './main-hub.ts';
export { migrateText } from './migrate.ts';
export { parseMasterConfig } from './parse-config.ts';
export { publicDomainProblem, publicPathOf, publicUrlProblem, tidyPublicUrl } from './public-place.ts';
export { namesSecret, redactIn, redactorOf, secretsIn } from './redact.ts';
export { resolveReferences } from './references.ts';
export {
  type ExtensionConfig,
  extensionConfig,
  type HubConfig,
  hubName,
  hubToolConfig,
  type MasterConfig,
  masterConfigJsonSchema,
  masterConfigSchema,
  type RemoteServerConfig,
  sourceName,
} from './schema.ts';
export { setAside, setFolderAside } from './set-aside.ts';
export { type ConfigState, ConfigStore, type ConfigStoreOptions } from './store.ts';
