import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { writeFileDurably } from '../../../config/index.ts';
import { systemCodeOf } from '../../../errors/index.ts';
import { inTurn } from './file-turn.ts';
import { type AuthorizationRecord, authorizationRecord } from './record.ts';
import { seal, unseal } from './sealed.ts';

const fileSchema = z.object({ version: z.literal(1), servers: z.record(z.string(), z.string()) });

export interface TokenStoreOptions {
  readonly file: string;
  /** What everything is encrypted with. Asked for when there is something to read or to write. */
  readonly secret: () => Promise<string>;
  readonly onLog?: (line: string) => void;
}

/**
 * The authorizations of all servers in one file, each encrypted. Writes are atomic, and one after another also where
 * several processes write.
 */
export class TokenStore {
  readonly #options: TokenStoreOptions;

  constructor(options: TokenStoreOptions) {
    this.#options = options;
  }

  /** What is kept of a server; undefined when there is nothing that can be read. */
  async read(server: string): Promise<AuthorizationRecord | undefined> {
    const sealed = (await this.#sealed())[server];
    return sealed === undefined ? undefined : this.#open(server, sealed);
  }

  /** Whether anything is kept of a server. */
  async has(server: string): Promise<boolean> {
    return Object.hasOwn(await this.#sealed(), server);
  }

  /** Everything that can be read, by server. */
  async all(): Promise<Map<string, AuthorizationRecord>> {
    const records = new Map<string, AuthorizationRecord>();
    for (const [server, sealed] of Object.entries(await this.#sealed())) {
      const record = await this.#open(server, sealed);
      if (record) records.set(server, record);
    }
    return records;
  }

  /** Replaces what is kept of a server by what `change` makes of it; undefined forgets it. */
  async change(
    server: string,
    change: (record: AuthorizationRecord | undefined) => AuthorizationRecord | undefined,
  ): Promise<void> {
    const { file, secret } = this.#options;
    await inTurn(`${file}.lock`, async () => {
      const servers = await this.#sealed();
      const present = servers[server];
      const next = change(present === undefined ? undefined : await this.#open(server, present));
      const { [server]: _former, ...others } = servers;
      const kept = next && { [server]: seal(JSON.stringify(next), await secret(), server) };
      await writeFileDurably(file, `${JSON.stringify({ version: 1, servers: { ...others, ...kept } }, null, 2)}\n`);
    });
  }

  /** Does some work on a server's authorization while nobody else does, in this process or another. */
  exclusively<Result>(server: string, work: () => Promise<Result>): Promise<Result> {
    return inTurn(`${this.#options.file}.${server}.lock`, work);
  }

  async #sealed(): Promise<Record<string, string>> {
    try {
      return fileSchema.parse(JSON.parse(await readFile(this.#options.file, 'utf8'))).servers;
    } catch (thrown) {
      if (systemCodeOf(thrown) === 'ENOENT') return {};
      if (!(thrown instanceof SyntaxError || thrown instanceof z.ZodError)) throw thrown;
      this.#options.onLog?.(`${this.#options.file} cannot be read; servers that need it want to be authorized anew.`);
      return {};
    }
  }

  async #open(server: string, sealed: string): Promise<AuthorizationRecord | undefined> {
    const text = unseal(sealed, await this.#options.secret(), server);
    const record = text === undefined ? undefined : authorizationRecord.safeParse(JSON.parse(text)).data;
    if (!record) this.#options.onLog?.(`The authorization of "${server}" was made with another LUNA_ENCRYPTION_KEY.`);
    return record;
  }
}
