export {
  Administration,
  type HubChange,
  type NewServer,
  type ServerChange,
} from './administration.ts';
export { clientAddress } from './client-address.ts';
export { type HomePaths, homePaths } from './home.ts';
export { mainHubName, type RunningHub } from './hubs.ts';
export { KeyGuessing } from './key-guessing.ts';
export { hashOfKey, hubKeyName, keyOpens, keysEqual, makeKey, supervisorTokenName } from './keys.ts';
export { createLuna, Luna, type LunaOptions } from './luna.ts';
export {
  type CallView,
  type ClientSetupView,
  callView,
  clientSetupView,
  type ErrorView,
  errorView,
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
  type OAuthClientView,
  oauthClientView,
  type PendingToolView,
  pendingToolView,
  type RemoteServerView,
  remoteServerView,
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
