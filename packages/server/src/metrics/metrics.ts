import type { Luna } from '@luna/core/control';
import { Counter, Gauge, Registry } from 'prom-client';
import { CallFigures } from './call-figures.ts';
import { ProcessFigures } from './process-figures.ts';
import { RequestFigures } from './request-figures.ts';

/** The figures of one Luna, for Prometheus. Each has a registry of its own: two Lunas fit in one process. */
export class Metrics {
  readonly requests: RequestFigures;
  readonly #registry = new Registry();
  readonly #process: ProcessFigures;
  readonly #unwatch: () => void;

  constructor(luna: Luna) {
    const registers = [this.#registry];
    const calls = new CallFigures(this.#registry);
    this.#unwatch = luna.onCall((call) => calls.count(call));
    this.requests = new RequestFigures(this.#registry);
    this.#process = new ProcessFigures(this.#registry);
    new Gauge({
      name: 'luna_info',
      help: 'Always 1. The version is in the label.',
      labelNames: ['version', 'node'],
      registers,
    }).set({ version: luna.version, node: process.version }, 1);
    new Gauge({
      name: 'luna_ready',
      help: 'Whether every source has had its first attempt, and Luna does not end.',
      registers,
      collect() {
        this.set(luna.ready ? 1 : 0);
      },
    });
    new Gauge({
      name: 'luna_config_valid',
      help: 'Whether master_config.json is in force as it is.',
      registers,
      collect() {
        this.set(luna.config.state.error ? 0 : 1);
      },
    });
    new Gauge({
      name: 'luna_sources',
      help: 'Sources by kind and status.',
      labelNames: ['kind', 'status'],
      registers,
      collect() {
        this.reset();
        for (const source of luna.registry.sources())
          if (source.kind !== 'builtin') this.inc({ kind: source.kind, status: source.health().status });
      },
    });
    new Gauge({
      name: 'luna_tools',
      help: 'Tools that can be called, of all sources.',
      registers,
      collect() {
        this.set(luna.registry.tools().size);
      },
    });
    for (const [name, help, of] of [
      ['luna_hub_sessions', 'Clients of the 2025 protocols that are connected to a hub.', 'sessionCount'],
      ['luna_hub_streams', 'Event streams of clients that a hub has open.', 'streamCount'],
    ] as const) {
      new Gauge({
        name,
        help,
        labelNames: ['hub'],
        registers,
        collect() {
          this.reset();
          for (const hub of Object.keys(luna.config.config.mcp_servers)) {
            const running = luna.hubs.get(hub);
            if (running) this.set({ hub }, running.http[of]);
          }
        },
      });
    }
    new Counter({
      name: 'luna_uptime_seconds_total',
      help: 'How long this Luna has run.',
      registers,
      collect() {
        this.reset();
        this.inc((Date.now() - luna.startedAt) / 1000);
      },
    });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** All figures as text, in the exposition format of Prometheus. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  close(): void {
    this.#unwatch();
    this.#process.close();
  }
}
