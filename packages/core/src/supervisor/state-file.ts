import { readFile, rm } from 'node:fs/promises';
import { z } from 'zod';
import { writeFileDurably } from '../config/index.ts';
import { LunaError, systemCodeOf } from '../errors/index.ts';
import { identify, type ProcessIdentity } from './process-identity.ts';

const stateSchema = z.looseObject({
  supervisor: z.object({ pid: z.number(), startTime: z.string() }),
  owner: z.string(),
  services: z.record(
    z.string(),
    z.looseObject({ pid: z.number().optional(), startTime: z.string().optional(), port: z.number().optional() }),
  ),
});

export type FormerState = z.infer<typeof stateSchema>;

/** What a supervisor wrote last; undefined when there is nothing that makes sense. */
export async function readStateFile(file: string): Promise<FormerState | undefined> {
  try {
    return stateSchema.safeParse(JSON.parse(await readFile(file, 'utf8'))).data;
  } catch (thrown) {
    const code = systemCodeOf(thrown);
    if (code === 'ENOENT' || code === 'EISDIR' || thrown instanceof SyntaxError) return undefined;
    throw thrown;
  }
}

/**
 * So long changes are gathered, in milliseconds: a start changes the state several times, and has better to do than wait
 * for the disk. What a crash of the supervisor leaves is found by its mark, too.
 */
const changesTogetherMs = 20;

/** The file in which a supervisor tells what runs. Many changes at once are one write. */
export class StateFile {
  readonly #file: string;
  readonly #owner: string;
  readonly #services: () => Record<string, unknown>;
  #self: ProcessIdentity | undefined;
  #soon: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #again = false;
  #removed = false;
  about: Readonly<Record<string, unknown>> = {};

  constructor(file: string, owner: string, services: () => Record<string, unknown>) {
    this.#file = file;
    this.#owner = owner;
    this.#services = services;
  }

  /** Soon writes what is then the state. A disk that is full keeps the former state. */
  changed(): void {
    this.#soon ??= setTimeout(() => void this.write().catch(() => undefined), changesTogetherMs);
  }

  /** Settles when the present state is on the disk. */
  write(): Promise<void> {
    clearTimeout(this.#soon);
    this.#soon = undefined;
    this.#again = true;
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  /** Nothing runs any more. */
  async remove(): Promise<void> {
    this.#removed = true;
    clearTimeout(this.#soon);
    await this.#writing?.catch(() => undefined);
    await rm(this.#file, { force: true });
  }

  async #write(): Promise<void> {
    this.#self ??= await identify(process.pid);
    if (!this.#self) throw new LunaError('internal', 'Cannot tell the start time of this process.');
    while (this.#again && !this.#removed) {
      this.#again = false;
      const state = { ...this.about, supervisor: this.#self, owner: this.#owner, services: this.#services() };
      await writeFileDurably(this.#file, `${JSON.stringify(state, null, 2)}\n`);
    }
  }
}
