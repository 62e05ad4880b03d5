import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { create } from 'tar';
import { beforeEach, describe, expect, test } from 'vitest';
import { tarOf } from '../../test/fixtures/tar-bytes.ts';
import { temporaryFolder } from '../../test/fixtures/temporary-folder.ts';
import { type ZipEntry, zipOf } from '../../test/fixtures/zip-bytes.ts';
import { unpackTar, unpackZip } from './archive.ts';

let folder = '';
beforeEach(async () => {
  folder = await temporaryFolder();
});

const into = () => join(folder, 'in', 'unpacked');

async function zip(entries: readonly ZipEntry[] | Buffer, options = {}): Promise<void> {
  const file = join(folder, 'archive.zip');
  await writeFile(file, Buffer.isBuffer(entries) ? entries : zipOf(entries));
  await mkdir(join(folder, 'in'), { recursive: true });
  await unpackZip(file, into(), options);
}

async function tar(bytes: Buffer, options = {}): Promise<void> {
  await mkdir(join(folder, 'in'), { recursive: true });
  await unpackTar(Readable.from([bytes.subarray(0, 700), bytes.subarray(700)]), into(), options);
}

/** Nothing was left, neither where it should go nor beside. */
async function expectNothing(): Promise<void> {
  expect(await readdir(join(folder, 'in'))).toEqual([]);
  expect((await readdir(folder)).filter((name) => name !== 'archive.zip')).toEqual(['in']);
}

describe('a zip', () => {
  test('is unpacked, with folders, empty files and what may be run', async () => {
    await zip([
      { name: 'a/' },
      { name: 'a/b.txt', content: 'hello '.repeat(1000) },
      { name: 'run.sh', content: '#!/bin/sh\n', mode: 0o100755 },
      { name: 'empty', content: '' },
      { name: 'stored', content: 'as it is', method: 0 },
    ]);
    expect(await readFile(join(into(), 'a/b.txt'), 'utf8')).toBe('hello '.repeat(1000));
    expect(await readFile(join(into(), 'stored'), 'utf8')).toBe('as it is');
    expect((await stat(join(into(), 'run.sh'))).mode & 0o777).toBe(0o755);
    expect((await stat(join(into(), 'empty'))).size).toBe(0);
  });

  test.each<[string, ZipEntry[]]>([
    ['leads out', [{ name: '../evil', content: 'x' }]],
    ['leads out further in', [{ name: 'a/../../evil', content: 'x' }]],
    ['is absolute', [{ name: '/tmp/evil', content: 'x' }]],
    ['is absolute on Windows', [{ name: 'C:/evil', content: 'x' }]],
    ['has a backslash', [{ name: 'a\\..\\evil', content: 'x' }]],
    ['has a NUL', [{ name: 'a\0.txt', content: 'x' }]],
    ['has a line end', [{ name: 'a\nb', content: 'x' }]],
    ['is not plain', [{ name: 'a//b', content: 'x' }]],
    ['has a dot', [{ name: 'a/./b', content: 'x' }]],
    ['is very long', [{ name: `${'a/'.repeat(600)}b`, content: 'x' }]],
    ['is very deep', [{ name: `${'a/'.repeat(40)}b`, content: 'x' }]],
    ['has a very long name', [{ name: 'a'.repeat(300), content: 'x' }]],
    ['is inside of a repository', [{ name: 'x/.GIT/hooks/post-checkout', content: 'x' }]],
    ['is a link', [{ name: 'link', content: '/etc/passwd', mode: 0o120777 }]],
    ['is a device', [{ name: 'null', content: '', mode: 0o020666 }]],
    ['is a pipe', [{ name: 'pipe', content: '', mode: 0o010666 }]],
    [
      'is there twice',
      [
        { name: 'a', content: 'x' },
        { name: 'a', content: 'y' },
      ],
    ],
    [
      'differs in case',
      [
        { name: 'Read', content: 'x' },
        { name: 'read', content: 'y' },
      ],
    ],
    [
      'differs in how it is composed',
      [
        { name: 'caf\u00e9', content: 'x' },
        { name: 'cafe\u0301', content: 'y' },
      ],
    ],
    [
      'has folders that differ in case',
      [
        { name: 'A/x', content: 'x' },
        { name: 'a/y', content: 'y' },
      ],
    ],
    [
      'has a file for a folder',
      [
        { name: 'a', content: 'x' },
        { name: 'a/b', content: 'y' },
      ],
    ],
    [
      'has a folder for a file',
      [
        { name: 'a/b', content: 'x' },
        { name: 'a', content: 'y' },
      ],
    ],
    ['is a folder with content', [{ name: 'a/', content: 'x' }]],
    ['has another name in its own header', [{ name: 'a', content: 'x', localName: 'b' }]],
    ['says another size in its own header', [{ name: 'a', content: 'xx', localSize: 1 }]],
    ['says too small a size', [{ name: 'a', content: 'x'.repeat(5000), size: 10, localSize: 10 }]],
    ['says too large a size', [{ name: 'a', content: 'x', size: 10, localSize: 10 }]],
    ['has a wrong checksum', [{ name: 'a', content: 'x', crc: 1 }]],
    ['is encrypted', [{ name: 'a', content: 'x', flags: 1 }]],
    ['is packed in another way', [{ name: 'a', content: 'x', method: 12 }]],
    [
      'overlaps with another',
      [
        { name: 'a', content: 'x'.repeat(100), method: 0 },
        { name: 'a', at: 0, content: 'x'.repeat(100), method: 0 },
      ],
    ],
  ])('with an entry that %s is refused, and nothing is written', async (_what, entries) => {
    await expect(zip([{ name: 'good.txt', content: 'good' }, ...entries])).rejects.toMatchObject({
      code: 'invalid_input',
    });
    await expectNothing();
  });

  test('whose entries share their bytes is refused', async () => {
    // All names of the directory lead to the same entry, which is how 40 kB become a gigabyte.
    const shared = zipOf([{ name: 'a', content: 'x'.repeat(1000), method: 0 }], { repeatDirectory: 3 });
    await expect(zip(shared)).rejects.toMatchObject({ code: 'invalid_input' });
    await expectNothing();
  });

  test.each<[string, Buffer]>([
    ['is nothing', Buffer.alloc(0)],
    ['is something else', Buffer.from('<!doctype html>')],
    ['is cut off', zipOf([{ name: 'a', content: 'x'.repeat(1000) }]).subarray(0, 60)],
  ])('that %s is refused', async (_what, bytes) => {
    await expect(zip(bytes)).rejects.toMatchObject({ code: 'invalid_input' });
    await expectNothing();
  });

  test('that unpacks to too much is refused by what it says, or while it is unpacked', async () => {
    const bomb = [{ name: 'a', content: '0'.repeat(3_000_000) }];
    const limits = { maxBytes: 1_000_000, maxEntries: 10 };
    expect(zipOf(bomb).length).toBeLessThan(20_000);
    await expect(zip(bomb, { limits })).rejects.toMatchObject({ code: 'too_large' });
    await expectNothing();
    const many = Array.from({ length: 11 }, (_, index) => ({ name: `f${index}`, content: 'x' }));
    await expect(zip(many, { limits })).rejects.toMatchObject({ code: 'too_large' });
    await expectNothing();
  });

  test('into a folder that is there already is refused, and the folder is left alone', async () => {
    await mkdir(into(), { recursive: true });
    await writeFile(join(into(), 'mine'), 'mine');
    await expect(zip([{ name: 'a', content: 'x' }])).rejects.toThrow();
    expect(await readdir(into())).toEqual(['mine']);
  });
});

describe('a tar', () => {
  test('that the usual program made is unpacked, gzipped too', async () => {
    await mkdir(join(folder, 'from', 'package', 'deep'), { recursive: true });
    await writeFile(join(folder, 'from', 'package', 'deep', 'a.txt'), 'a'.repeat(200_000));
    await writeFile(join(folder, 'from', 'package', 'run.sh'), '#!/bin/sh\n', { mode: 0o755 });
    const file = join(folder, 'from.tgz');
    await create({ gzip: true, file, cwd: join(folder, 'from') }, ['package']);
    await unpackTar(file, join(folder, 'out'), { gzip: true, strip: 1 });
    expect(await readFile(join(folder, 'out', 'deep', 'a.txt'), 'utf8')).toBe('a'.repeat(200_000));
    expect((await stat(join(folder, 'out', 'run.sh'))).mode & 0o111).toBe(0o111);
  });

  const good = { name: 'good.txt', content: 'good' };

  test.each<[string, Buffer]>([
    ['leads out', tarOf([good, { name: '../evil', content: 'x' }])],
    ['is absolute', tarOf([good, { name: '/tmp/evil', content: 'x' }])],
    ['is a symbolic link', tarOf([good, { name: 'link', type: '2', link: '/etc' }])],
    ['is a hard link', tarOf([good, { name: 'link', type: '1', link: 'good.txt' }])],
    ['is a character device', tarOf([good, { name: 'null', type: '3' }])],
    ['is a block device', tarOf([good, { name: 'disk', type: '4' }])],
    ['is a pipe', tarOf([good, { name: 'pipe', type: '6' }])],
    ['is there twice', tarOf([good, good])],
    ['differs in case', tarOf([good, { name: 'GOOD.txt', content: 'x' }])],
    ['has a file for a folder', tarOf([good, { name: 'good.txt/x', content: 'x' }])],
    ['says too large a size', tarOf([good, { name: 'a', content: 'x', size: 100_000 }])],
    ['has a wrong checksum', tarOf([good, { name: 'a', content: 'x', checksum: 1 }])],
    ['is cut off', tarOf([good, { name: 'a', content: 'x'.repeat(5000) }]).subarray(0, 3000)],
    [
      'gets a path by a header of its own',
      tarOf([good, { name: 'PaxHeader', type: 'x', content: '16 path=../evil\n' }, { name: 'a', content: 'x' }]),
    ],
    [
      'gets an odd name by a header of its own',
      tarOf([good, { name: 'PaxHeader', type: 'x', content: '13 path=a\u0001/b\n' }, { name: 'a', content: 'x' }]),
    ],
  ])('with an entry that %s is refused, and nothing is left', async (_what, bytes) => {
    await expect(tar(bytes)).rejects.toMatchObject({ code: 'invalid_input' });
    await expectNothing();
  });

  test('that unpacks to too much is stopped', async () => {
    const limits = { maxBytes: 1_000_000, maxEntries: 5 };
    const bomb = gzipSync(tarOf([{ name: 'a', content: '0'.repeat(3_000_000) }]));
    await expect(tar(bomb, { limits, gzip: true })).rejects.toMatchObject({ code: 'too_large' });
    await expectNothing();
    const many = tarOf(Array.from({ length: 6 }, (_, index) => ({ name: `f${index}`, content: 'x' })));
    await expect(tar(many, { limits })).rejects.toMatchObject({ code: 'too_large' });
    await expectNothing();
    // Headers alone, of which no entry comes.
    const headers = Buffer.concat(
      Array.from({ length: 3000 }, () => tarOf([{ name: 'g', type: 'g', content: '9 a=bbbb\n' }], false)),
    );
    await expect(
      tar(gzipSync(headers), { limits: { ...limits, maxBytes: 100_000 }, gzip: true }),
    ).rejects.toMatchObject({ code: 'too_large' });
    await expectNothing();
  });

  test('that is packed twice is refused', async () => {
    const twice = gzipSync(gzipSync(tarOf([good, { name: 'b', content: 'b'.repeat(100_000) }])));
    await expect(tar(Buffer.concat([twice]), { gzip: true })).rejects.toMatchObject({ code: 'invalid_input' });
    await expectNothing();
  });

  test('is broken off when nobody wants it any more', async () => {
    const controller = new AbortController();
    controller.abort();
    await expect(tar(tarOf([good]), { signal: controller.signal })).rejects.toMatchObject({ code: 'cancelled' });
    await expectNothing();
  });
});

test('nothing is followed that lies where an archive is unpacked to', async () => {
  await mkdir(join(folder, 'outside'));
  await mkdir(join(folder, 'in'));
  await symlink(join(folder, 'outside'), into());
  await expect(zip([{ name: 'a', content: 'x' }])).rejects.toThrow();
  expect(await readdir(join(folder, 'outside'))).toEqual([]);
  expect(existsSync(into())).toBe(true);
});
