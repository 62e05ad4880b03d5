import { CLIENT_CAPABILITIES_META_KEY, LOG_LEVEL_META_KEY } from '@modelcontextprotocol/server';
import { LunaError } from '../errors/index.ts';
import { type AskOptions, type CallClient, Cancellation, type McpObject, type ToolProgress } from '../tools/index.ts';
import { isSevereEnough } from './log-levels.ts';
import type { RequestSide } from './requests.ts';

/** Says something to the client before the answer; absent where the answer is one body. */
export type TellClient = (method: string, params: McpObject) => void;

interface Question {
  readonly method: string;
  readonly params: McpObject;
  readonly resolve: (answer: McpObject) => void;
  readonly reject: (error: unknown) => void;
}

let lastKey = 0;

/**
 * One request of a client of 2026-07-28. Such a client cannot be asked: a question becomes the result of its request
 * (`input_required`), and the client sends the request again with the answer. What runs here waits meanwhile.
 */
export class ModernCall implements RequestSide, CallClient {
  readonly cancellation = new Cancellation();
  readonly takesQuestionsAsResults = true;
  readonly key = `modern-${++lastKey}`;
  readonly capabilities: McpObject;
  readonly logLevel: string | undefined;
  readonly meta: McpObject | undefined;
  readonly retry: McpObject | undefined;
  readonly requestId: string | undefined;
  openQuestions = 0;
  readonly #progressToken: unknown;
  #tell: TellClient | undefined;
  #questions: Map<string, Question> | undefined;
  #outcome: { result: McpObject } | { error: unknown } | undefined;
  #waiter: { resolve(result: McpObject): void; reject(error: unknown): void } | undefined;
  #lastQuestion = 0;

  constructor(meta: McpObject | undefined, retry: McpObject | undefined, requestId?: string) {
    const capabilities = meta?.[CLIENT_CAPABILITIES_META_KEY];
    this.capabilities = isObject(capabilities) ? capabilities : {};
    const level = meta?.[LOG_LEVEL_META_KEY];
    this.logLevel = typeof level === 'string' ? level : undefined;
    this.#progressToken = meta?.progressToken;
    this.meta = meta && ownMeta(meta);
    this.retry = retry;
    this.requestId = requestId;
  }

  get client(): CallClient {
    return this;
  }

  get signal(): AbortSignal {
    return this.cancellation.signal;
  }

  get onProgress(): ((progress: ToolProgress) => void) | undefined {
    const progressToken = this.#progressToken;
    if (progressToken === undefined) return undefined;
    return (progress) => this.#tell?.('notifications/progress', { ...progress, progressToken });
  }

  /** The client waits for an answer now. */
  get isWaiting(): boolean {
    return this.#waiter !== undefined;
  }

  /** Questions of a server are open that this call has to keep. */
  get hasQuestions(): boolean {
    return this.#questions !== undefined && this.#questions.size > 0;
  }

  start(work: Promise<McpObject>): void {
    work.then(
      (result) => this.#end({ result }),
      (error) => this.#end({ error }),
    );
  }

  /** Settles with the result, or with questions to the client; ask again when it has answered. */
  next(tell?: TellClient): Promise<McpObject> {
    this.#tell = tell;
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
      this.#settle();
    });
  }

  /** Takes the client's answers to questions, by the keys under which they were asked. */
  answered(answers: unknown): void {
    if (!isObject(answers)) return;
    for (const [key, answer] of Object.entries(answers)) {
      const question = this.#questions?.get(key);
      this.#questions?.delete(key);
      question?.resolve(isObject(answer) ? answer : {});
    }
  }

  ask(method: string, params: McpObject, { signal }: AskOptions): Promise<McpObject> {
    return new Promise((resolve, reject) => {
      const key = `question-${++this.#lastQuestion}`;
      this.#questions ??= new Map();
      const questions = this.#questions;
      questions.set(key, { method, params, resolve, reject });
      signal.addEventListener('abort', () => {
        if (questions.delete(key)) reject(new LunaError('cancelled', 'The question was withdrawn.'));
      });
      // What is asked at one time becomes one result.
      setImmediate(() => this.#settle());
    });
  }

  tell(method: string, params: McpObject): void {
    // In this protocol log messages are only for those who ask for them.
    if (method === 'notifications/message' && this.logLevel === undefined) return;
    if (method === 'notifications/message' && !isSevereEnough(params.level, this.logLevel)) return;
    this.#tell?.(method, params);
  }

  #end(outcome: { result: McpObject } | { error: unknown }): void {
    this.#outcome = outcome;
    this.#settle();
  }

  #settle(): void {
    const waiter = this.#waiter;
    if (!waiter) return;
    if (this.#outcome) {
      this.#waiter = undefined;
      if ('result' in this.#outcome) waiter.resolve(this.#outcome.result);
      else waiter.reject(this.#outcome.error);
    } else if (this.#questions && this.#questions.size > 0) {
      this.#waiter = undefined;
      this.#tell = undefined;
      const asked = [...this.#questions].map(([key, { method, params }]) => [key, { method, params }]);
      waiter.resolve({ resultType: 'input_required', inputRequests: Object.fromEntries(asked) });
    }
  }
}

/** The keys by which a client of 2026-07-28 describes itself are for this hop, not for the source. */
function ownMeta(meta: McpObject): McpObject | undefined {
  const rest = Object.entries(meta).filter(
    ([key]) => key !== 'progressToken' && !key.startsWith('io.modelcontextprotocol/'),
  );
  return rest.length > 0 ? Object.fromEntries(rest) : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
