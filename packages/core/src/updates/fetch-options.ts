import type { EgressPolicy } from '../sources/egress/index.ts';
import type { ArchiveLimits } from './archive-writer.ts';

/** How any source is fetched, whatever its kind. */
export interface FetchOptions {
  /** A folder of one's own; what is in it is not wanted afterwards. */
  readonly workFolder: string;
  /** Where the files go. Must not be there. */
  readonly into: string;
  readonly egress: EgressPolicy;
  readonly limits: ArchiveLimits;
  /** What may be fetched, packed, in bytes. */
  readonly maxFetchBytes: number;
  readonly limitMs: number;
  readonly owner?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}
