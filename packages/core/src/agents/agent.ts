import type { AgentLimits } from '../config/index.ts';
import type { ToolArguments, ToolResult } from '../tools/index.ts';

/** A message of a chat in OpenAI's shape. Fields that Luna does not know reach the model as they came. */
export interface ChatMessage {
  readonly role: string;
  readonly content?: unknown;
  readonly [key: string]: unknown;
}

/** A call of a tool that a model wants, in OpenAI's shape. */
export interface ModelToolCall {
  readonly id: string;
  readonly type: 'function';
  readonly function: { readonly name: string; readonly arguments: string };
}

/** A tool in OpenAI's shape, for a model. */
export interface ModelTool {
  readonly type: 'function';
  readonly function: {
    readonly name: string;
    readonly description?: string;
    readonly parameters?: Readonly<Record<string, unknown>>;
  };
}

/** A tool that the agent of this turn may call. */
export interface AgentTool {
  /** The name for models, and for {@link AgentTurn.call}. */
  readonly name: string;
  readonly description: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Whether people want it run without being asked. */
  readonly passthrough: boolean;
}

/** What a model is asked. Anything else that an endpoint knows may stand beside it. */
export interface ModelQuestion {
  readonly messages: readonly ChatMessage[];
  readonly tools?: readonly ModelTool[] | undefined;
  readonly tool_choice?: unknown;
  readonly response_format?: unknown;
  /** Whether the client hears the text of the answer while it comes. Default: false. */
  readonly say?: boolean;
  readonly [key: string]: unknown;
}

/** Tokens, as the endpoint counts them; 0 where it does not. */
export interface TokenUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

/** A whole answer of a model. */
export interface ModelAnswer {
  readonly text: string;
  readonly toolCalls: readonly ModelToolCall[];
  /** Why the model stopped, in OpenAI's words: `stop`, `length`, `tool_calls`, `content_filter`. */
  readonly finish: string;
  readonly usage: TokenUsage;
}

/** How a turn ended. */
export interface AgentEnd {
  /** Default: `stop`. */
  readonly finish?: string;
  /** Calls of the client's own tools, which it is to make. */
  readonly toolCalls?: readonly ModelToolCall[];
  /** The limit that ended the turn. The agent has told the client of it. */
  readonly limit?: string;
}

/**
 * One turn of a chat, as an agent gets it. All that it does goes through here: calls are held to the preset's tools and
 * limits, and recorded.
 */
export interface AgentTurn {
  /** The preset, or the agent where none is used. */
  readonly agent: string;
  /** What the client sent. */
  readonly messages: readonly ChatMessage[];
  /** What a client said as conversation memory. */
  readonly memory: string | undefined;
  /**
   * What belongs before the messages: instructions of the preset, what sources say of their tools, the memory. Empty
   * when there is nothing of that.
   */
  readonly preamble: readonly ChatMessage[];
  readonly tools: readonly AgentTool[];
  /** Tools that the client brings: the model may ask for them, and the client calls them. */
  readonly clientTools: readonly ModelTool[];
  /** `tool_choice` of the client. */
  readonly toolChoice: unknown;
  readonly limits: AgentLimits;
  readonly signal: AbortSignal;
  /**
   * Asks the model. Settings of the request and the preset (temperature, `stop`, `response_format`, …) apply unless the
   * question has its own. Throws `model_unavailable`, `upstream_error`, `timeout`, `cancelled`, and `limit_exceeded`
   * beyond the steps of {@link limits}.
   */
  ask(question: ModelQuestion): Promise<ModelAnswer>;
  /**
   * Calls a tool, with arguments as an object or as the JSON text of a model. Throws `invalid_input` for arguments that
   * do not fit its schema, `tool_not_found` for one that the turn does not have, and what the call itself throws.
   */
  call(tool: string, args: ToolArguments | string): Promise<ToolResult>;
  /** Adds to the answer. */
  say(text: string): void;
  /** Tells a client that streams what goes on; it is no part of the answer. */
  think(text: string): void;
}

/** Something that answers a chat. */
export interface Agent {
  /** Unique; clients send it as the name of a model. */
  readonly name: string;
  readonly description: string;
  /** Runs a turn to its end. What it throws becomes the error of the request. */
  run(turn: AgentTurn): Promise<AgentEnd | undefined> | Promise<void>;
}

/** Returns the agent unchanged; its use is that TypeScript then knows the turn. */
export function defineAgent(agent: Agent): Agent {
  return agent;
}

/** The text of a message: its content, or the text parts of it. */
export function textOfMessage({ content }: ChatMessage): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .flatMap((part: unknown) =>
      typeof part === 'object' && part !== null && 'text' in part && typeof part.text === 'string' ? [part.text] : [],
    )
    .join('\n');
}

/** The text of the last message of the user; empty when there is none. */
export function lastUserText(messages: readonly ChatMessage[]): string {
  const last = messages.findLast(({ role }) => role === 'user');
  return last ? textOfMessage(last) : '';
}
