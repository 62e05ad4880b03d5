import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { homePaths, writeFileDurably } from '@luna/core/config';
import { systemCodeOf } from '@luna/core/errors';
import { z } from 'zod';

/** A file or a folder that takes the place of another. */
const piece = z.object({
  place: z.string(),
  staged: z.string(),
  inode: z.string().describe('Of the new one, wherever it is.'),
  wasThere: z.boolean().describe('Whether there was a former one.'),
});
export type Piece = z.infer<typeof piece>;

const journalSchema = z.object({
  kind: z.enum(['npm', 'git']),
  root: z.string(),
  staging: z.string().describe('All that was made for the update; it goes when the update has ended.'),
  queue: z.string().describe('The update queue that asks for it.'),
  from: z.string(),
  to: z.string(),
  pieces: z.array(piece),
  git: z.object({ commit: z.string(), formerCommit: z.string(), formerBranch: z.string().optional() }).optional(),
  state: z.enum(['staged', 'switching', 'switched', 'confirmed', 'undoing', 'rolled_back']),
  reason: z.string().optional().describe('Why it was rolled back.'),
});

/** An update of Luna itself, and how far it is. */
export type CoreUpdate = z.infer<typeof journalSchema>;

/**
 * What an update of Luna itself has come to. The server writes it up to `staged`; then only its launcher does, which
 * switches and takes back. Whoever finds it after a crash knows what to do.
 */
export class CoreUpdateJournal {
  readonly #file: string;

  constructor(home: string) {
    this.#file = join(homePaths(home).generated, 'core_update.json');
  }

  /** The update that is under way, or has ended and was not asked about yet. */
  async read(): Promise<CoreUpdate | undefined> {
    try {
      return journalSchema.safeParse(JSON.parse(await readFile(this.#file, 'utf8'))).data;
    } catch (thrown) {
      if (thrown instanceof SyntaxError || systemCodeOf(thrown) === 'ENOENT') return undefined;
      throw thrown;
    }
  }

  async write(update: CoreUpdate): Promise<void> {
    await writeFileDurably(this.#file, `${JSON.stringify(update, null, 2)}\n`);
  }

  async remove(): Promise<void> {
    await rm(this.#file, { force: true });
  }
}
