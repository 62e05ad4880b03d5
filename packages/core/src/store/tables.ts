import type { ColumnType, Generated } from 'kysely';
import type { ScheduleRow, ScheduleRunRow } from './schedule-tables.ts';

/** Times are milliseconds since the epoch. */
export interface Tables {
  browser_sessions: BrowserSessionRow;
  accounts: AccountRow;
  oauth_records: OAuthRecordRow;
  signing_keys: SigningKeyRow;
  consents: ConsentRow;
  lua_state: LuaStateRow;
  schedules: ScheduleRow;
  schedule_runs: ScheduleRunRow;
  agent_runs: AgentRunRow;
}

/** What a browser session holds, under the digest of its id. */
interface BrowserSessionRow {
  readonly id: string;
  readonly data: string;
  readonly expires_at: number;
}

/** Somebody who may sign in. */
interface AccountRow {
  readonly id: string;
  readonly name: string;
  /** Set for the local account once it has one: a salted hash. */
  readonly password: string | null;
  readonly created_at: ColumnType<number, number, never>;
}

/** What the authorization server keeps: clients, codes, tokens, grants, its own sessions. */
interface OAuthRecordRow {
  readonly kind: string;
  readonly id: string;
  readonly payload: string;
  readonly grant_id: string | null;
  readonly uid: string | null;
  readonly consumed_at: number | null;
  readonly expires_at: number | null;
}

interface SigningKeyRow {
  readonly number: Generated<number>;
  readonly jwk: string;
  readonly created_at: number;
}

/** That a person let a client in, and where it may be sent back to. */
interface ConsentRow {
  readonly account_id: string;
  readonly client_id: string;
  readonly grant_id: string;
  readonly client_name: string;
  /** A JSON list. */
  readonly redirect_uris: string;
  readonly scope: string;
  readonly created_at: ColumnType<number, number, never>;
}

/** What a Lua tool keeps. */
interface LuaStateRow {
  readonly tool: string;
  readonly key: string;
  /** JSON. */
  readonly value: string;
}

/** One turn of an agent that has ended. */
interface AgentRunRow {
  readonly id: string;
  readonly agent: string;
  readonly base_agent: string;
  readonly caller_kind: string;
  readonly caller_name: string | null;
  readonly started_at: number;
  readonly duration_ms: number;
  readonly outcome: string;
  readonly error_code: string | null;
  readonly error_message: string | null;
  readonly prompt: string;
  readonly answer: string;
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly model_calls: number;
  readonly tool_calls: number;
  /** A JSON list. */
  readonly steps: string;
}
