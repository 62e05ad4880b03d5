import type { StartPhase, StartPhaseName } from '@luna/core/control';

const titles: Readonly<Record<StartPhaseName, string>> = {
  update_queue: 'update queue',
  config: 'configuration',
  config_sync: 'config sync',
  state_reset: 'state reset',
  core_surfaces: 'core surfaces',
  extensions: 'extensions',
  external_services: 'external services',
  health_monitor: 'health monitor',
  summary: 'summary',
};
const titleWidth = Math.max(...Object.values(titles).map(({ length }) => length));

/** Shows the phases of a start: a line for each that has ended; in a terminal, below them, what goes on. */
export class PhaseLines {
  readonly #output: NodeJS.WriteStream;
  readonly #goingOn = new Set<StartPhaseName>();

  constructor(output: NodeJS.WriteStream) {
    this.#output = output;
  }

  show(phase: StartPhase): void {
    if (phase.state === 'started') this.#goingOn.add(phase.name);
    else {
      this.#goingOn.delete(phase.name);
      this.clear();
      this.#output.write(`${lineOf(phase)}\n`);
    }
    const latest = [...this.#goingOn].at(-1);
    if (this.#output.isTTY && latest !== undefined) this.#output.write(`\x1b[2K\r… ${titles[latest]}`);
  }

  /** Makes room for something else. */
  clear(): void {
    if (this.#output.isTTY) this.#output.write('\x1b[2K\r');
  }
}

function lineOf({ name, state, durationMs, detail }: StartPhase): string {
  const took = durationMs < 1_000 ? `${Math.round(durationMs)} ms` : `${(durationMs / 1_000).toFixed(1)} s`;
  const mark = state === 'failed' ? '✗' : '✓';
  const line = `${mark} ${titles[name].padEnd(titleWidth)} ${took.padStart(7)}  ${detail ?? ''}`.trimEnd();
  return state === 'failed' ? `${line}\n  Put that right, then start again. "luna doctor" looks for more.` : line;
}
