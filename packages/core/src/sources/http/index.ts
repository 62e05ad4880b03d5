export { upstreamStatusKey } from './answer-result.ts';
export { HttpKind, type HttpKindOptions } from './kind.ts';
export { HttpSource, type HttpSourceOptions } from './source.ts';
