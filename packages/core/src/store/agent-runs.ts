import type { Store } from './store.ts';

/** One thing that an agent did in a turn. Long texts are shortened. */
export type AgentRunStep = {
  /** Since the turn began, in milliseconds. */
  readonly atMs: number;
  readonly durationMs: number;
  readonly error?: { readonly code: string; readonly message: string };
} & (
  | {
      readonly kind: 'model';
      readonly model: string;
      readonly text: string;
      /** The tools that the model asked for. */
      readonly wants: readonly string[];
      readonly finish: string;
      readonly promptTokens: number;
      readonly completionTokens: number;
    }
  | {
      readonly kind: 'tool';
      readonly tool: string;
      readonly args: string;
      readonly result: string;
      readonly outcome: 'ok' | 'tool_error' | 'error';
    }
);

/** A turn of an agent that has ended, without its steps. */
export interface AgentRunSummary {
  readonly id: string;
  /** The preset, or the agent where none was used. */
  readonly agent: string;
  readonly baseAgent: string;
  readonly caller: { readonly kind: string; readonly name?: string };
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly durationMs: number;
  /** `limit`: the agent was stopped at one of its limits, and has said so. */
  readonly outcome: 'ok' | 'limit' | 'error' | 'cancelled';
  readonly error?: { readonly code: string; readonly message: string };
  /** The last thing that the agent was asked, shortened. */
  readonly prompt: string;
  readonly answer: string;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly modelCalls: number;
  readonly toolCalls: number;
}

export interface AgentRun extends AgentRunSummary {
  readonly steps: readonly AgentRunStep[];
}

export interface AgentRunFilter {
  readonly agent?: string | undefined;
  readonly outcome?: AgentRun['outcome'] | undefined;
  readonly callerKind?: string | undefined;
  /** Runs that began before this time, in milliseconds since the epoch: the next page. */
  readonly before?: number | undefined;
  /** Default 50. */
  readonly limit?: number | undefined;
}

/** What agents have done, for people to look at later. */
export class AgentRuns {
  readonly #db: Store['db'];

  constructor(store: Pick<Store, 'db'>) {
    this.#db = store.db;
  }

  /** Keeps runs, all or none of them. */
  async add(runs: readonly AgentRun[]): Promise<void> {
    if (runs.length === 0) return;
    await this.#db.insertInto('agent_runs').values(runs.map(rowOf)).execute();
  }

  /** The latest first. */
  async list(filter: AgentRunFilter = {}): Promise<AgentRunSummary[]> {
    let query = this.#db.selectFrom('agent_runs').select(summaryColumns);
    if (filter.agent !== undefined) query = query.where('agent', '=', filter.agent);
    if (filter.outcome !== undefined) query = query.where('outcome', '=', filter.outcome);
    if (filter.callerKind !== undefined) query = query.where('caller_kind', '=', filter.callerKind);
    if (filter.before !== undefined) query = query.where('started_at', '<', filter.before);
    const rows = await query
      .orderBy('started_at', 'desc')
      .limit(filter.limit ?? 50)
      .execute();
    return rows.map(summaryOf);
  }

  async get(id: string): Promise<AgentRun | undefined> {
    const row = await this.#db.selectFrom('agent_runs').selectAll().where('id', '=', id).executeTakeFirst();
    return row && { ...summaryOf(row), steps: JSON.parse(row.steps) };
  }

  /** Deletes runs that began before this time, in milliseconds since the epoch. */
  async deleteBefore(time: number): Promise<void> {
    await this.#db.deleteFrom('agent_runs').where('started_at', '<', time).execute();
  }
}

const summaryColumns = [
  'id',
  'agent',
  'base_agent',
  'caller_kind',
  'caller_name',
  'started_at',
  'duration_ms',
  'outcome',
  'error_code',
  'error_message',
  'prompt',
  'answer',
  'prompt_tokens',
  'completion_tokens',
  'model_calls',
  'tool_calls',
] as const;

type Row = ReturnType<typeof rowOf>;

function rowOf(run: AgentRun) {
  return {
    id: run.id,
    agent: run.agent,
    base_agent: run.baseAgent,
    caller_kind: run.caller.kind,
    caller_name: run.caller.name ?? null,
    started_at: run.startedAt,
    duration_ms: Math.round(run.durationMs),
    outcome: run.outcome as string,
    error_code: run.error?.code ?? null,
    error_message: run.error?.message ?? null,
    prompt: run.prompt,
    answer: run.answer,
    prompt_tokens: run.promptTokens,
    completion_tokens: run.completionTokens,
    model_calls: run.modelCalls,
    tool_calls: run.toolCalls,
    steps: JSON.stringify(run.steps),
  };
}

function summaryOf(row: Omit<Row, 'steps'>): AgentRunSummary {
  return {
    id: row.id,
    agent: row.agent,
    baseAgent: row.base_agent,
    caller: { kind: row.caller_kind, ...(row.caller_name !== null && { name: row.caller_name }) },
    startedAt: row.started_at,
    durationMs: row.duration_ms,
    outcome: row.outcome as AgentRun['outcome'],
    ...(row.error_code !== null && { error: { code: row.error_code, message: row.error_message ?? '' } }),
    prompt: row.prompt,
    answer: row.answer,
    promptTokens: row.prompt_tokens,
    completionTokens: row.completion_tokens,
    modelCalls: row.model_calls,
    toolCalls: row.tool_calls,
  };
}
