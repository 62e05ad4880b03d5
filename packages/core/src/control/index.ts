export { Administration, type HubChange, type NewServer } from './administration.ts';
export { type HomePaths, homePaths } from './home.ts';
export type { RunningHub } from './hubs.ts';
export { hubKeyName, keysEqual, makeKey, supervisorTokenName } from './keys.ts';
export { createLuna, Luna, type LunaOptions } from './luna.ts';
export {
  callView,
  type CallView,
  errorView,
  type ErrorView,
  healthView,
  type HealthView,
  hubView,
  type HubView,
  hubWithKeyView,
  type HubWithKeyView,
  lunaEvent,
  type LunaEvent,
  remoteServerView,
  type RemoteServerView,
  sourceHealthView,
  type SourceHealthView,
  sourceView,
  type SourceView,
  statusView,
  type StatusView,
  toolCallAnswerView,
  type ToolCallAnswerView,
  toolsBySourceView,
  type ToolsBySourceView,
  toolView,
  type ToolView,
} from './views.ts';
