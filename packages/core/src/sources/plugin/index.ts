export { type PluginCommand, type PluginDescription, type PluginParameter, pluginDescription } from './description.ts';
export { PluginKind, type PluginKindOptions } from './kind.ts';
export { type ParsedHelp, parseHelp } from './parse-help.ts';
export { PluginSource, type PluginSourceOptions } from './source.ts';
