import { messageOf, toLunaError } from '../errors/index.ts';
import { type StartPhase, type StartPhaseName, startPhaseNames } from './views.ts';

/** What came of a phase that kept nothing from starting: a sentence, and whether that tells of something not well. */
export interface PhaseOutcome {
  readonly detail: string;
  readonly troubled: boolean;
}

/** One phase that has begun. Only the first end of it counts. */
export interface BegunPhase {
  done(outcome: string | PhaseOutcome): void;
  failed(thrown: unknown): void;
}

/**
 * The phases of one start: told as they begin and end, and kept. They begin in the order of their names; one may begin
 * before another has ended, where the work of both goes on at a time.
 */
export class StartPhases {
  readonly #onPhase: (phase: StartPhase) => void;
  readonly #phases = new Map<StartPhaseName, StartPhase>();
  readonly #begun = new Map<StartPhaseName, BegunPhase>();

  constructor(onPhase: (phase: StartPhase) => void = () => undefined) {
    this.#onPhase = onPhase;
  }

  /** The phases so far, in their order. */
  get all(): readonly StartPhase[] {
    return startPhaseNames.flatMap((name) => this.#phases.get(name) ?? []);
  }

  /** Whether it has begun, and has not ended. */
  isGoingOn(name: StartPhaseName): boolean {
    return this.#phases.get(name)?.state === 'started';
  }

  /** Begins a phase, or returns it where it has begun. */
  begin(name: StartPhaseName): BegunPhase {
    const present = this.#begun.get(name);
    if (present) return present;
    const startedAt = Date.now();
    const from = performance.now();
    this.#tell({ name, state: 'started', startedAt, durationMs: 0 });
    const end = (state: 'done' | 'failed', detail: string, troubled = false) => {
      if (!this.isGoingOn(name)) return;
      const durationMs = Math.round((performance.now() - from) * 10) / 10;
      this.#tell({ name, state, startedAt, durationMs, detail, ...(troubled && { troubled }) });
    };
    const begun: BegunPhase = {
      done: (outcome) =>
        typeof outcome === 'string' ? end('done', outcome) : end('done', outcome.detail, outcome.troubled),
      failed: (thrown) => end('failed', messageOf(toLunaError(thrown))),
    };
    this.#begun.set(name, begun);
    return begun;
  }

  /** Does the work of a phase. `outcomeOf` says what came of it. Throws what the work throws. */
  async run<Result>(
    name: StartPhaseName,
    work: () => Promise<Result>,
    outcomeOf: (result: Result) => string | PhaseOutcome,
  ): Promise<Result> {
    const phase = this.begin(name);
    try {
      const result = await work();
      phase.done(outcomeOf(result));
      return result;
    } catch (thrown) {
      phase.failed(thrown);
      throw thrown;
    }
  }

  #tell(phase: StartPhase): void {
    this.#phases.set(phase.name, phase);
    this.#onPhase(phase);
  }
}
