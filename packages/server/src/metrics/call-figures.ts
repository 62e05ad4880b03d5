import type { CallRecord } from '@luna/core/tools';
import { Counter, Histogram, type Registry } from 'prom-client';

/** Upper ends of the steps in which durations are counted, in seconds. */
const steps = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
/** So many pairs of tool and hub are told apart; what comes beyond is counted as the tool `(other)`. */
const maxPairs = 500;
const otherTool = '(other)';

const durations = 'luna_tool_call_duration_seconds';
const help = 'How long calls of tools took, whatever their outcome.';
const outcomes = ['ok', 'tool_error', 'error'] as const;

/** All calls of one tool by one face. */
interface Cell {
  readonly caller: string;
  readonly hub: string;
  readonly tool: string;
  readonly count: Record<CallRecord['outcome'], number>;
  /** How many calls ended within each step, and not within the one before; the last are those beyond all. */
  readonly within: Float64Array;
  seconds: number;
}

/**
 * Counts calls of tools. It stands in the way of every call, so it only counts numbers up; what Prometheus wants to read
 * is made of them when it asks.
 */
export class CallFigures {
  readonly #cells = new Map<string, Map<string, Map<string, Cell>>>();
  #pairs = 0;

  constructor(registry: Registry) {
    const labels = ['caller', 'hub', 'tool'] as const;
    const cells = () => this.#all();
    new Counter({
      name: 'luna_tool_calls_total',
      help: 'Calls of tools that ended. outcome: ok, tool_error (a result that says so), error (no result).',
      labelNames: [...labels, 'outcome'],
      registers: [registry],
      collect() {
        this.reset();
        for (const { caller, hub, tool, count } of cells()) {
          for (const outcome of outcomes)
            if (count[outcome] > 0) this.inc({ caller, hub, tool, outcome }, count[outcome]);
        }
      },
    });
    new CallDurations(registry, labels, cells);
  }

  count({ caller, tool, outcome, durationMs }: Pick<CallRecord, 'caller' | 'tool' | 'outcome' | 'durationMs'>): void {
    const cell = this.#cell(caller.kind, caller.kind === 'hub' ? (caller.name ?? '') : '', tool);
    const seconds = durationMs / 1000;
    cell.count[outcome]++;
    cell.seconds += seconds;
    let step = 0;
    while (step < steps.length && seconds > (steps[step] ?? 0)) step++;
    cell.within[step] = (cell.within[step] ?? 0) + 1;
  }

  *#all(): Iterable<Cell> {
    for (const hubs of this.#cells.values()) for (const tools of hubs.values()) yield* tools.values();
  }

  #cell(caller: string, hub: string, tool: string): Cell {
    return this.#cells.get(caller)?.get(hub)?.get(tool) ?? this.#newCell(caller, hub, tool);
  }

  #newCell(caller: string, hub: string, tool: string): Cell {
    if (this.#pairs >= maxPairs && tool !== otherTool) return this.#cell(caller, hub, otherTool);
    const hubs = this.#cells.get(caller) ?? new Map<string, Map<string, Cell>>();
    this.#cells.set(caller, hubs);
    const tools = hubs.get(hub) ?? new Map<string, Cell>();
    hubs.set(hub, tools);
    const count = { ok: 0, tool_error: 0, error: 0 };
    const cell = { caller, hub, tool, count, within: new Float64Array(steps.length + 1), seconds: 0 };
    tools.set(tool, cell);
    this.#pairs++;
    return cell;
  }
}

/** A histogram that is made of the cells when it is read. */
class CallDurations extends Histogram<string> {
  readonly #cells: () => Iterable<Cell>;

  constructor(registry: Registry, labelNames: readonly string[], cells: () => Iterable<Cell>) {
    super({
      name: durations,
      help,
      labelNames,
      buckets: steps,
      registers: [registry],
    });
    this.#cells = cells;
  }

  /** What the registry asks for when it writes text, and what `get` is made of. */
  async getForPromString(): Promise<object> {
    const values: object[] = [];
    const sharedLabels = {};
    for (const { caller, hub, tool, within, seconds } of this.#cells()) {
      const labels = { caller, hub, tool };
      let sum = 0;
      for (const [index, count] of within.entries()) {
        sum += count;
        values.push({
          metricName: `${durations}_bucket`,
          labels: { ...labels, le: steps[index] ?? '+Inf' },
          sharedLabels,
          value: sum,
        });
      }
      values.push({ metricName: `${durations}_sum`, labels, sharedLabels, value: seconds });
      values.push({ metricName: `${durations}_count`, labels, sharedLabels, value: sum });
    }
    return { name: durations, help, type: 'histogram', aggregator: 'sum', values };
  }
}
