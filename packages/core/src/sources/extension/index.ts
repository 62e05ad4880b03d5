export { describeImportError } from './error-place.ts';
export { ExtensionKind, type ExtensionKindOptions } from './kind.ts';
export { LoadingLine, type LoadingLineOptions } from './loading-line.ts';
export {
  type ExtensionHealthCheck,
  type ExtensionManifest,
  type ExtensionServiceConfig,
  type ExtensionToolConfig,
  extensionManifestSchema,
  findToolFiles,
  readManifest,
  readServiceConfig,
  readToolConfig,
  secretsOf,
} from './manifest.ts';
export { ExtensionSource, type ExtensionSourceOptions } from './source.ts';
