import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { setAside, writeFileDurably } from '../config/index.ts';
import { messageOf, systemCodeOf } from '../errors/index.ts';

/** `.luna/external_services.json`: which services are installed, what is known of them, and since when. */

const identity = z.object({ pid: z.int().positive(), startTime: z.string() });

export const serviceStatuses = [
  'not_installed',
  'installing',
  'install_failed',
  'starting',
  'running',
  'unhealthy',
  'failed',
  'stopping',
  'stopped',
  'uninstalling',
] as const;

const recordSchema = z.looseObject({
  installed: z.boolean(),
  /** Written before the work begins, so that a crash in the middle of it shows. */
  under_way: z.enum(['install', 'uninstall']).optional(),
  under_way_since: z.string().optional(),
  /** The data was made by the install that is under way; when that fails it goes. */
  data_is_new: z.boolean().optional(),
  shipped: z.boolean().default(false).describe('Whether the definition is one that Luna brings.'),
  status: z.enum(serviceStatuses).default('stopped'),
  reason: z.string().optional(),
  config_path: z.string(),
  log_path: z.string(),
  installed_at: z.string().optional(),
  started_at: z.string().optional(),
  stopped_at: z.string().optional(),
  last_health_check: z.string().optional(),
  last_healthy: z.string().optional(),
  /** Keys of `.env` that it has set, each with a hash of the value. */
  provided: z.record(z.string(), z.string()).default({}),
  /** The program that Luna keeps running, or a command that starts something: ended after a crash of Luna. */
  process: identity.optional(),
});

export type ServiceRecord = z.infer<typeof recordSchema>;

const registrySchema = z.looseObject({ services: z.record(z.string(), recordSchema).default({}) });

/** Reads and writes the registry; writes are one after another and durable. */
export class ServiceRegistry {
  readonly #file: string;
  readonly #records: Map<string, ServiceRecord>;
  #queue: Promise<void> = Promise.resolve();
  #isStale = false;

  /** Reads the file. One that cannot be read is told, set aside, and taken for empty. */
  static async open(file: string, onError: (message: string) => void): Promise<ServiceRegistry> {
    try {
      const { services } = registrySchema.parse(JSON.parse(await readFile(file, 'utf8')));
      // What ran under an earlier Luna is not known to run now.
      const before = Object.entries(services).map(([name, record]): [string, ServiceRecord] => [
        name,
        record.installed && record.under_way === undefined ? { ...record, status: 'stopped' } : record,
      ]);
      return new ServiceRegistry(file, new Map(before));
    } catch (thrown) {
      if (systemCodeOf(thrown) !== 'ENOENT') {
        const what = `${file} cannot be read and is made anew: ${brokenBy(thrown)}`;
        onError(`${what} What it was is kept as ${await setAside(file)}.`);
      }
      return new ServiceRegistry(file, new Map());
    }
  }

  private constructor(file: string, records: Map<string, ServiceRecord>) {
    this.#file = file;
    this.#records = records;
  }

  names(): string[] {
    return [...this.#records.keys()];
  }

  get(name: string): ServiceRecord | undefined {
    return this.#records.get(name);
  }

  /** Settles when it is on the disk. `undefined` removes it. */
  set(name: string, record: ServiceRecord | undefined): Promise<void> {
    if (record) this.#records.set(name, record);
    else this.#records.delete(name);
    this.#isStale = true;
    const writing = this.#queue.then(async () => {
      // One write is enough for all changes that came while another one was under way.
      if (!this.#isStale) return;
      this.#isStale = false;
      const services = Object.fromEntries(this.#records);
      await writeFileDurably(this.#file, `${JSON.stringify({ services }, null, 2)}\n`);
    });
    this.#queue = writing.catch(() => {
      this.#isStale = true;
    });
    return writing;
  }

  async flushed(): Promise<void> {
    await this.#queue;
  }
}

/** The first thing that is wrong, in a sentence. */
function brokenBy(thrown: unknown): string {
  const issue = thrown instanceof z.ZodError ? thrown.issues[0] : undefined;
  return issue ? `${issue.path.join('.') || 'the file'}: ${issue.message}.` : `${messageOf(thrown)}.`;
}
