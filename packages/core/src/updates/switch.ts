import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { extensionConfig, writeFileDurably } from '../config/index.ts';
import { LunaError } from '../errors/index.ts';
import { isThere, move, readIfThere, remove, type UpdateFolders } from './folders.ts';

/**
 * What is on its way. Written before the first step; whoever finds it after a crash takes the steps back, or finishes
 * them if the operation counts as done.
 */
const journalSchema = z.object({
  kind: z.enum(['put', 'take', 'back']),
  name: z.string(),
  /** Which operation of which queue it belongs to. */
  queue: z.string().optional(),
  operation: z.number().optional(),
  /** Whether an extension of the name was there before. */
  wasThere: z.boolean(),
  /** Its entry in the configuration before. */
  entry: extensionConfig.optional(),
  isDone: z.boolean(),
});
export type Journal = z.infer<typeof journalSchema>;

const aboutFormer = z.object({ entry: extensionConfig.optional(), leftAt: z.number() });
export type AboutFormer = z.infer<typeof aboutFormer>;

/**
 * Puts extensions into their place, and takes them out, by renames that a journal makes one step: `put` a staged one,
 * `take` one away, bring the former one `back`. One at a time.
 */
export class ExtensionSwitch {
  readonly #folders: UpdateFolders;

  constructor(folders: UpdateFolders) {
    this.#folders = folders;
  }

  placeOf(name: string): string {
    return join(this.#folders.extensions, name);
  }

  stagedOf(name: string): string {
    return join(this.#folders.staged, name);
  }

  /** The version before, if there is one. */
  async former(name: string): Promise<AboutFormer | undefined> {
    const folder = join(this.#folders.former, name);
    const text = await readIfThere(join(folder, 'about.json'));
    return text !== undefined && (await isThere(join(folder, 'content')))
      ? aboutFormer.parse(JSON.parse(text))
      : undefined;
  }

  /** The steps up to the switch. Afterwards it is to be taken back by {@link undo} or finished by {@link finish}. */
  async begin(wanted: Omit<Journal, 'wasThere' | 'isDone'>): Promise<Journal> {
    const { name, kind } = wanted;
    const place = this.placeOf(name);
    const outgoing = join(this.#folders.outgoing, name);
    if (await isThere(this.#folders.journal))
      throw new LunaError('internal', 'The extension before has not been switched to its end.');
    await remove(outgoing);
    const journal: Journal = { ...wanted, wasThere: await isThere(place), isDone: false };
    await mkdir(outgoing, { recursive: true });
    const about: AboutFormer = { ...(wanted.entry && { entry: wanted.entry }), leftAt: Date.now() };
    await writeFileDurably(join(outgoing, 'about.json'), JSON.stringify(about));
    if (kind === 'back') await remove(this.stagedOf(name));
    await this.#write(journal);
    try {
      if (kind === 'back') await move(join(this.#folders.former, name, 'content'), this.stagedOf(name));
      if (journal.wasThere) await move(place, join(outgoing, 'content'));
      if (kind !== 'take') await move(this.stagedOf(name), place);
    } catch (thrown) {
      await this.undo(journal);
      throw thrown;
    }
    return journal;
  }

  /** Puts everything back to where it was. May be repeated. */
  async undo({ name, kind, wasThere }: Journal): Promise<void> {
    const place = this.placeOf(name);
    const staged = this.stagedOf(name);
    const outgoing = join(this.#folders.outgoing, name);
    const hasLeft = await isThere(join(outgoing, 'content'));
    const formerContent = join(this.#folders.former, name, 'content');
    const isReplaced = kind !== 'take' && (hasLeft || !wasThere);
    // What stands in the place is the new one only where the old one has left, and nothing is staged any more.
    const neverMoved = (await isThere(staged)) || (kind === 'back' && (await isThere(formerContent)));
    if (isReplaced && !neverMoved && (await isThere(place))) await move(place, staged);
    if (hasLeft) await move(join(outgoing, 'content'), place);
    if (kind === 'back' && (await isThere(staged))) await move(staged, formerContent);
    await remove(outgoing);
    await remove(this.#folders.journal);
  }

  /** Makes it final: what has left becomes the former version. May be repeated. */
  async finish(journal: Journal): Promise<void> {
    const { name } = journal;
    const outgoing = join(this.#folders.outgoing, name);
    if (!journal.isDone) await this.#write({ ...journal, isDone: true });
    const former = join(this.#folders.former, name);
    const hasLeft = await isThere(join(outgoing, 'content'));
    if (hasLeft || !(await isThere(join(former, 'content')))) await remove(former);
    if (hasLeft) await move(outgoing, former);
    await remove(outgoing);
    await remove(this.stagedOf(name));
    await remove(this.#folders.journal);
  }

  /** What an end in the middle left. */
  async unfinished(): Promise<Journal | undefined> {
    const text = await readIfThere(this.#folders.journal);
    return text === undefined ? undefined : journalSchema.parse(JSON.parse(text));
  }

  async #write(journal: Journal): Promise<void> {
    await writeFileDurably(this.#folders.journal, JSON.stringify(journal));
  }
}
