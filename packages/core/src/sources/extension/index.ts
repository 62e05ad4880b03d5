export { ExtensionKind, type ExtensionKindOptions } from './kind.ts';
export {
  type ExtensionManifest,
  type ExtensionToolConfig,
  extensionManifestSchema,
  findToolFiles,
  readManifest,
  readToolConfig,
} from './manifest.ts';
export { ExtensionSource, type ExtensionSourceOptions } from './source.ts';
