import { fileURLToPath } from 'node:url';
import { type Launched, launch } from '../processes.ts';
import type { Job, Outcomes, Reply } from './jobs.ts';

/** The bench's end of one load generator. */
export class LoadGenerator {
  readonly #process: Launched;

  constructor(launched: Launched) {
    this.#process = launched;
  }

  static start(name: string): LoadGenerator {
    const script = fileURLToPath(new URL('process.ts', import.meta.url));
    return new LoadGenerator(launch(`load generator for ${name}`, [script], { ipc: true }));
  }

  /** Has a job done. Throws when it fails, when the process ends, or after `limitMs` milliseconds. */
  run<K extends Job['kind']>(job: Extract<Job, { kind: K }>, limitMs: number): Promise<Outcomes[K]> {
    const { child, name } = this.#process;
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        clearTimeout(limit);
        child.off('message', onMessage).off('exit', onExit);
        act();
      };
      const onMessage = (reply: Reply) =>
        settle(() => ('error' in reply ? reject(new Error(reply.error)) : resolve(reply.outcome as Outcomes[K])));
      const onExit = () => settle(() => reject(new Error(`The ${name} ended: ${this.#process.lastWords()}`)));
      const limit = setTimeout(
        () => settle(() => reject(new Error(`The ${name} took longer than ${limitMs} ms.`))),
        limitMs,
      );
      child.on('message', onMessage).on('exit', onExit);
      child.send(job);
    });
  }

  stop(): Promise<void> {
    return this.#process.stop();
  }
}
