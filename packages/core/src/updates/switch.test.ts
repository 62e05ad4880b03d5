import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../test/fixtures/temporary-folder.ts';
import { type UpdateFolders, updateFolders } from './folders.ts';
import { ExtensionSwitch, type Journal } from './switch.ts';

let home = '';
let folders: UpdateFolders;
let places: ExtensionSwitch;

beforeEach(async () => {
  home = await temporaryFolder();
  folders = updateFolders(join(home, 'extensions'), join(home, '.luna'));
  places = new ExtensionSwitch(folders);
  await mkdir(folders.extensions);
});

async function put(folder: string, content: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'content.txt'), content);
}
const contentOf = (folder: string) => readFile(join(folder, 'content.txt'), 'utf8').catch(() => undefined);
/** What is where: in place, staged, and as the former version. */
const state = async () => ({
  place: await contentOf(places.placeOf('a')),
  staged: await contentOf(places.stagedOf('a')),
  former: await contentOf(join(folders.former, 'a', 'content')),
});

interface Case {
  readonly what: string;
  readonly journal: Pick<Journal, 'kind' | 'wasThere'>;
  /** The moves, in order, each of which may be the last one before the end. */
  readonly moves: readonly (readonly [from: string, to: string])[];
  readonly before: { readonly place?: string; readonly staged?: string; readonly former?: string };
  readonly after: { readonly place?: string; readonly former?: string };
}

const place = 'extensions/a';
const staged = '.luna/updates/staged/a';
const outgoing = '.luna/updates/outgoing/a/content';
const former = '.luna/updates/former/a/content';

const cases: Case[] = [
  {
    what: 'an installation',
    journal: { kind: 'put', wasThere: false },
    moves: [[staged, place]],
    before: { staged: 'new' },
    after: { place: 'new' },
  },
  {
    what: 'an update',
    journal: { kind: 'put', wasThere: true },
    moves: [
      [place, outgoing],
      [staged, place],
    ],
    before: { place: 'old', staged: 'new', former: 'older' },
    after: { place: 'new', former: 'old' },
  },
  {
    what: 'a removal',
    journal: { kind: 'take', wasThere: true },
    moves: [[place, outgoing]],
    before: { place: 'old' },
    after: { former: 'old' },
  },
  {
    what: 'a way back',
    journal: { kind: 'back', wasThere: true },
    moves: [
      [former, staged],
      [place, outgoing],
      [staged, place],
    ],
    before: { place: 'old', former: 'older' },
    after: { place: 'older', former: 'old' },
  },
  {
    what: 'a way back of what was removed',
    journal: { kind: 'back', wasThere: false },
    moves: [
      [former, staged],
      [staged, place],
    ],
    before: { former: 'older' },
    after: { place: 'older' },
  },
];

async function arrange({ before }: Case): Promise<void> {
  if (before.place !== undefined) await put(places.placeOf('a'), before.place);
  if (before.staged !== undefined) await put(places.stagedOf('a'), before.staged);
  if (before.former !== undefined) {
    await put(join(folders.former, 'a', 'content'), before.former);
    await writeFile(join(folders.former, 'a', 'about.json'), JSON.stringify({ leftAt: 1 }));
  }
}

describe.each(cases)('$what', (one) => {
  test('is made and finished; both may be repeated', async () => {
    await arrange(one);
    const journal = await places.begin({ kind: one.journal.kind, name: 'a' });
    expect(journal.wasThere).toBe(one.journal.wasThere);
    await places.finish(journal);
    await places.finish(journal);
    expect(await state()).toEqual({ place: undefined, former: undefined, staged: undefined, ...one.after });
    expect(await places.unfinished()).toBeUndefined();
  });

  test.each(Array.from({ length: one.moves.length + 1 }, (_, count) => count))(
    'that ended after %i of its moves is taken back, also where that ended in its middle',
    async (count) => {
      await arrange(one);
      const journal: Journal = { ...one.journal, name: 'a', isDone: false };
      await mkdir(join(folders.outgoing, 'a'), { recursive: true });
      await mkdir(folders.staged, { recursive: true });
      await writeFile(join(folders.outgoing, 'a', 'about.json'), JSON.stringify({ leftAt: 2 }));
      await writeFile(folders.journal, JSON.stringify(journal));
      for (const [from, to] of one.moves.slice(0, count)) await rename(join(home, from), join(home, to));
      const snapshot = await temporaryFolder();
      await cp(home, snapshot, { recursive: true });

      const expected = { place: undefined, former: undefined, ...one.before };
      await places.undo((await places.unfinished()) ?? journal);
      expect(await state()).toMatchObject(expected);
      expect(existsSync(folders.journal)).toBe(false);
      await places.undo(journal);
      expect(await state()).toMatchObject(expected);

      // The same, where moving back itself came only half of the way.
      for (const [from, to] of one.moves.slice(0, count).reverse().slice(0, 1)) {
        await rm(home, { recursive: true });
        await cp(snapshot, home, { recursive: true });
        await rename(join(home, to), join(home, from));
        await places.undo(journal);
        expect(await state()).toMatchObject(expected);
      }
    },
  );
});

test('nothing else is begun while one has not come to its end', async () => {
  await put(places.stagedOf('a'), 'new');
  await places.begin({ kind: 'put', name: 'a' });
  await put(places.stagedOf('b'), 'new');
  await expect(places.begin({ kind: 'put', name: 'b' })).rejects.toMatchObject({ code: 'internal' });
});
