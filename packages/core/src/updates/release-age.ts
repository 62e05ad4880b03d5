import type { FetchedCopy } from './fetch.ts';
import { parseSource } from './source.ts';

const hourMs = 3_600_000;

/** Why a copy is too young to be taken; undefined when it is not. What was uploaded has no age. */
export function tooNew(copy: FetchedCopy, minAgeMs: number): string | undefined {
  if (minAgeMs === 0 || parseSource(copy.source).kind === 'upload') return undefined;
  const wanted = `luna.min_release_age asks for ${inWords(minAgeMs)}`;
  if (copy.releasedAt === undefined) return `Its source does not say when it was released, and ${wanted}.`;
  const ageMs = Date.now() - copy.releasedAt;
  return ageMs < minAgeMs ? `It was released ${inWords(ageMs)} ago, and ${wanted}.` : undefined;
}

function inWords(ms: number): string {
  const hours = Math.max(0, Math.floor(ms / hourMs));
  const [number, unit] = hours < 48 ? [hours, 'hour'] : [Math.floor(hours / 24), 'day'];
  return `${number} ${unit}${number === 1 ? '' : 's'}`;
}
