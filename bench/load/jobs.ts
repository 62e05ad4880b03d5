/** What the bench and its load generators say to each other. */

/** How a target is reached: the transport that it was made for, its address, and headers such as its key. */
export interface Endpoint {
  readonly transport: 'streamable-http' | 'sse';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

export type Job =
  | {
      readonly kind: 'calls';
      readonly endpoint: Endpoint;
      readonly callers: number;
      readonly warmUpMs: number;
      readonly measureMs: number;
    }
  | { readonly kind: 'list'; readonly endpoint: Endpoint; readonly expected: number; readonly times: number }
  | { readonly kind: 'first-call'; readonly endpoint: Endpoint; readonly withinMs: number }
  | {
      readonly kind: 'open-sessions';
      readonly endpoint: Endpoint;
      readonly count: number;
      readonly withStreams: boolean;
    }
  | { readonly kind: 'close-sessions' };

/** How often each thing went wrong, by its message. */
export type Failures = Readonly<Record<string, number>>;

/** What the callers of one measurement saw together; times in milliseconds. */
export interface CallFigures {
  readonly callsPerSecond: number;
  readonly p50: number;
  readonly p99: number;
  /** All calls that were answered, those of the warm-up too. */
  readonly answered: number;
  readonly failures: Failures;
}

/** The time of each complete listing, in milliseconds. */
export interface ListFigures {
  readonly times: readonly number[];
  readonly failures: Failures;
}

export interface Done {
  readonly failures: Failures;
}

/** The outcome of each kind of job. */
export interface Outcomes {
  calls: CallFigures;
  list: ListFigures;
  'first-call': Done;
  'open-sessions': Done;
  'close-sessions': Done;
}

export type Reply = { readonly outcome: Outcomes[Job['kind']] } | { readonly error: string };
