import { readdir } from 'node:fs/promises';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, type Registry } from 'prom-client';

/** How often the delay of the event loop is sampled, in milliseconds. */
const sampleMs = 20;

/**
 * Figures of the process, by the names that dashboards for Node know. They are not prom-client's own collectors: those
 * begin to sample when they are made and never end, and there may be several Lunas in a process.
 */
export class ProcessFigures {
  #delay: ReturnType<typeof monitorEventLoopDelay> | undefined;

  constructor(registry: Registry) {
    const registers = [registry];
    const loop = () => this.#eventLoop();
    gauge('process_start_time_seconds', 'When the process began, since the epoch.', () =>
      Math.round((Date.now() - process.uptime() * 1000) / 1000),
    );
    gauge('process_resident_memory_bytes', 'Memory of the process.', () => process.memoryUsage.rss());
    gauge('nodejs_heap_size_total_bytes', 'Heap of V8.', () => process.memoryUsage().heapTotal);
    gauge('nodejs_heap_size_used_bytes', 'Heap of V8 in use.', () => process.memoryUsage().heapUsed);
    gauge('nodejs_external_memory_bytes', 'Memory outside of the heap.', () => process.memoryUsage().external);
    gauge('process_open_fds', 'Open files and sockets; only where the system has /proc.', async () => {
      try {
        return (await readdir('/proc/self/fd')).length;
      } catch {
        // Other systems have no such folder.
        return undefined;
      }
    });
    new Counter({
      name: 'process_cpu_seconds_total',
      help: 'Time of processors that the process used.',
      registers,
      collect() {
        const { user, system } = process.cpuUsage();
        this.reset();
        this.inc((user + system) / 1e6);
      },
    });
    new Gauge({
      name: 'luna_event_loop_delay_seconds',
      help: 'How late the event loop came to what was due, since it was asked for last. The first answer has no figures.',
      labelNames: ['quantile'],
      registers,
      collect() {
        const delay = loop();
        this.reset();
        if (!delay) return;
        for (const quantile of [50, 90, 99])
          this.set({ quantile: quantile / 100 }, Math.max(0, delay.percentile(quantile) / 1e9 - sampleMs / 1000));
        this.set({ quantile: 1 }, Math.max(0, delay.max / 1e9 - sampleMs / 1000));
        delay.reset();
      },
    });

    function gauge(name: string, help: string, value: () => number | undefined | Promise<number | undefined>): void {
      new Gauge({
        name,
        help,
        registers,
        async collect() {
          const now = await value();
          if (now !== undefined) this.set(now);
        },
      });
    }
  }

  close(): void {
    this.#delay?.disable();
  }

  /** Sampled from the first time on that somebody asks: a Luna that nobody watches wakes up for nothing. */
  #eventLoop(): ReturnType<typeof monitorEventLoopDelay> | undefined {
    if (this.#delay) return this.#delay.count > 0 ? this.#delay : undefined;
    this.#delay = monitorEventLoopDelay({ resolution: sampleMs });
    this.#delay.enable();
    return undefined;
  }
}
