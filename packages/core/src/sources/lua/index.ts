export { LuaAuthoring, type LuaAuthoringOptions, luaAuthoringTools } from './authoring.ts';
export { LuaKind, type LuaKindOptions } from './kind.ts';
export { inputSchemaOf, type LuaManifest, parseLuaManifest } from './manifest.ts';
export { LuaPool, type LuaPoolOptions } from './pool.ts';
export { type CallTool, LuaSource, type LuaSourceOptions, luaDepthKey } from './source.ts';
