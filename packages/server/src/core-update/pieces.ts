import { mkdir, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Piece } from './journal.ts';

/** Describes how a staged file or folder is to take its place. */
export async function pieceOf(staged: string, place: string): Promise<Piece> {
  const inode = await inodeOf(staged);
  return { place, staged, inode: inode ?? '', wasThere: (await inodeOf(place)) !== undefined };
}

/** Puts a staged piece into its place. What was there is kept beside the staging. May be repeated. */
export async function putPiece(piece: Piece): Promise<void> {
  const { place, staged, wasThere } = piece;
  if (await isInPlace(piece)) return;
  await mkdir(dirname(place), { recursive: true });
  if (wasThere && (await inodeOf(place)) !== undefined) await rename(place, formerOf(staged));
  await rename(staged, place);
}

/** Makes everything as it was, however far {@link putPiece} came. May be repeated. */
export async function takePieceBack(piece: Piece): Promise<void> {
  const { place, staged } = piece;
  if (await isInPlace(piece)) await rename(place, staged);
  if ((await inodeOf(place)) === undefined && (await inodeOf(formerOf(staged))) !== undefined)
    await rename(formerOf(staged), place);
}

/** A rename does not change it, so that it tells which of the two stands in a place. */
async function isInPlace({ place, inode }: Piece): Promise<boolean> {
  return (await inodeOf(place)) === inode;
}

function formerOf(staged: string): string {
  return `${staged}.former`;
}

async function inodeOf(path: string): Promise<string | undefined> {
  return stat(path, { bigint: true }).then(
    ({ ino }) => String(ino),
    () => undefined,
  );
}
