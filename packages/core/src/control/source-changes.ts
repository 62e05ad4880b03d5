import type { SourceStatus, ToolSource } from '../tools/index.ts';
import type { LunaEvent } from './views.ts';

type SourceChange = Extract<LunaEvent, { type: 'source.changed' }>;

/** Finds out which sources have changed their status since the last look. */
export class SourceChanges {
  readonly #redact: (text: string) => string;
  readonly #known = new Map<string, { readonly kind: string; readonly status: SourceStatus }>();

  /** `redact` covers secrets in what sources say of themselves. */
  constructor(redact: (text: string) => string) {
    this.#redact = redact;
  }

  look(sources: readonly ToolSource[]): SourceChange[] {
    const changes: SourceChange[] = [];
    const gone = new Map(this.#known);
    for (const source of sources) {
      const { id, kind } = source;
      if (kind === 'builtin') continue;
      gone.delete(id);
      const before = this.#known.get(id)?.status;
      const { status, reason } = source.health();
      if (status === before) continue;
      this.#known.set(id, { kind, status });
      changes.push({
        type: 'source.changed',
        source: id,
        kind,
        status,
        ...(before && { before }),
        ...(reason !== undefined && { reason: this.#redact(reason) }),
      });
    }
    for (const [id, { kind, status }] of gone) {
      this.#known.delete(id);
      changes.push({ type: 'source.changed', source: id, kind, status: 'stopped', before: status });
    }
    return changes;
  }
}
