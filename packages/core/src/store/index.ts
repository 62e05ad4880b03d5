export { type Account, Accounts, localAccountId } from './accounts.ts';
export {
  type AgentRun,
  type AgentRunFilter,
  type AgentRunStep,
  type AgentRunSummary,
  AgentRuns,
} from './agent-runs.ts';
export { BrowserSessions } from './browser-sessions.ts';
export { type Consent, Consents } from './consents.ts';
export { deleteExpired } from './expiry.ts';
export { LuaState } from './lua-state.ts';
export { type OAuthPayload, OAuthRecords } from './oauth-records.ts';
export {
  type KeptScheduleRun,
  type ScheduleRunOrigin,
  type ScheduleRunStatus,
  ScheduleRuns,
  scheduleRunOrigins,
  scheduleRunStatuses,
} from './schedule-runs.ts';
export { type KeptSchedule, Schedules } from './schedules.ts';
export { SigningKeys } from './signing-keys.ts';
export { openStore, type Store } from './store.ts';
