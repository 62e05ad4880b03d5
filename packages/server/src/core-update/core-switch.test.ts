import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { CoreSwitch } from './core-switch.ts';
import { type CoreUpdate, CoreUpdateJournal } from './journal.ts';
import { pieceOf, putPiece } from './pieces.ts';

/** A folder with a package and two files beside, the update of which is staged; the last one is new. */
async function staged() {
  const root = await mkdtemp(join(tmpdir(), 'luna-switch-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const staging = join(root, '.staging');
  for (const [folder, text] of [
    [root, 'old'],
    [staging, 'new'],
  ] as const) {
    await mkdir(join(folder, 'modules'), { recursive: true });
    await writeFile(join(folder, 'modules', 'main'), text);
    await writeFile(join(folder, 'package'), text);
  }
  await writeFile(join(staging, 'lock'), 'new');
  const names = ['modules', 'package', 'lock'];
  const pieces = await Promise.all(names.map((name) => pieceOf(join(staging, name), join(root, name))));
  const journal = new CoreUpdateJournal(root);
  const update: CoreUpdate = {
    kind: 'npm',
    root,
    staging,
    queue: 'q',
    from: '1.0.0',
    to: '2.0.0',
    pieces,
    state: 'staged',
  };
  await journal.write(update);
  const read = (path: string) => readFile(join(root, path), 'utf8').catch(() => undefined);
  const now = async () => [await read('modules/main'), await read('package'), await read('lock')];
  return { journal, update, pieces, now, root, staging };
}

const before = ['old', 'old', undefined];
const after = ['new', 'new', 'new'];

test('everything takes its place, stays once it is confirmed, and goes back otherwise', async () => {
  const { journal, now } = await staged();
  const core = new CoreSwitch(journal);
  expect(await core.switch()).toBe(true);
  expect([await now(), (await journal.read())?.state]).toEqual([after, 'switched']);
  await core.takeBack('it died');
  await core.takeBack('it died');
  expect(await now()).toEqual(before);
  expect(await journal.read()).toMatchObject({ state: 'rolled_back', reason: 'it died' });
  expect(await core.switch()).toBe(false);
});

test('what was confirmed is not on trial any more', async () => {
  const { journal, now } = await staged();
  await new CoreSwitch(journal).switch();
  expect(await new CoreSwitch(journal).recover()).toBe(true);
  await new CoreSwitch(journal).confirm();
  expect(await new CoreSwitch(journal).recover()).toBe(false);
  expect(await now()).toEqual(after);
});

test.each([0, 1, 2, 3])('ended after %i pieces, and within the next, everything is as before', async (count) => {
  for (const isWithin of [false, true]) {
    const { journal, update, pieces, now } = await staged();
    await journal.write({ ...update, state: 'switching' });
    for (const piece of pieces.slice(0, count)) await putPiece(piece);
    const next = pieces[count];
    if (isWithin && next?.wasThere) await rename(next.place, `${next.staged}.former`);
    expect(await new CoreSwitch(journal).recover()).toBe(false);
    expect([await now(), (await journal.read())?.state]).toEqual([before, 'rolled_back']);
  }
});

test('a piece that is not there takes the others back', async () => {
  const { journal, now, staging } = await staged();
  await rm(join(staging, 'lock'));
  expect(await new CoreSwitch(journal).switch()).toBe(false);
  expect(await now()).toEqual(before);
  expect((await journal.read())?.reason).toContain('lock');
});

test('without an update, or with a journal that makes no sense, nothing is done', async () => {
  const { journal, now, root } = await staged();
  await writeFile(join(root, '.luna', 'core_update.json'), '{"state":"switched"}');
  expect(await new CoreSwitch(journal).recover()).toBe(false);
  expect(await new CoreSwitch(journal).switch()).toBe(false);
  await journal.remove();
  expect(await new CoreSwitch(journal).recover()).toBe(false);
  expect(await now()).toEqual(before);
});
