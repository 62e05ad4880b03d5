import type { LunaErrorDetails } from '../../errors/index.ts';
import type { ToolArguments } from '../../tools/index.ts';
import type { AgentEnd, AgentTurn, ModelQuestion } from '../agent.ts';

/** What the host of a file with agents and its worker say to each other. */

/** Given to the worker when it starts. */
export interface AgentWorkerTask {
  readonly file: string;
}

/** What an agent is told of a turn; the rest of {@link AgentTurn} it asks for. */
export type TurnData = Pick<
  AgentTurn,
  'agent' | 'messages' | 'memory' | 'preamble' | 'tools' | 'clientTools' | 'toolChoice' | 'limits'
>;

/** An error on its way from one side to the other. */
export interface SentError {
  readonly code: string;
  readonly message: string;
  readonly details?: LunaErrorDetails | undefined;
}

export type AgentRequest =
  | { readonly method: 'ask'; readonly question: ModelQuestion }
  | { readonly method: 'call'; readonly tool: string; readonly args: ToolArguments | string };

export type ToAgentWorker =
  | { readonly type: 'turn'; readonly turn: number; readonly name: string; readonly data: TurnData }
  | { readonly type: 'cancel'; readonly turn: number }
  | { readonly type: 'answer'; readonly request: number; readonly value: unknown }
  | { readonly type: 'refusal'; readonly request: number; readonly error: SentError }
  | { readonly type: 'ping' };

export type FromAgentWorker =
  | { readonly type: 'loaded'; readonly agents: readonly { readonly name: string; readonly description: string }[] }
  /** `thrown` is the error itself where importing the file threw it. */
  | { readonly type: 'load-failed'; readonly message: string; readonly thrown?: unknown }
  | { readonly type: 'request'; readonly turn: number; readonly request: number; readonly of: AgentRequest }
  | { readonly type: 'say'; readonly turn: number; readonly text: string }
  | { readonly type: 'think'; readonly turn: number; readonly text: string }
  | { readonly type: 'ended'; readonly turn: number; readonly end: AgentEnd }
  | { readonly type: 'failed'; readonly turn: number; readonly error: SentError }
  | { readonly type: 'pong' };
