export { writeFileDurably } from './atomic-file.ts';
export { EnvFile } from './env-file.ts';
export { type Change, differencesOf, editJsonText, jsonValueOf, parseJsonText } from './json-text.ts';
export { type LuaPermissions, luaPermissionsSchema } from './lua-permissions.ts';
export { migrateText } from './migrate.ts';
export { redactorOf } from './redact.ts';
export { resolveReferences } from './references.ts';
export {
  type ExtensionConfig,
  type HubConfig,
  hubName,
  hubToolConfig,
  type MasterConfig,
  masterConfigJsonSchema,
  masterConfigSchema,
  type RemoteServerConfig,
  sourceName,
} from './schema.ts';
export { type ConfigState, ConfigStore, type ConfigStoreOptions } from './store.ts';
