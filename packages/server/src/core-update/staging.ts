import type { Piece } from './journal.ts';

/** What an update would bring. */
export interface CoreChange {
  readonly present: string;
  readonly next: string;
  /** Whether nothing would change. */
  readonly isSame: boolean;
  /** Names the new one exactly: a version, or a commit. */
  readonly exact: string;
  readonly presentRevision?: string;
  /** The first lines of what was committed between the two, the newest first. */
  readonly changes: readonly string[];
}

/** What was made to take the place of the present Luna. */
export interface StagedCore {
  readonly to: string;
  readonly pieces: readonly Piece[];
  readonly git?: { readonly commit: string; readonly formerCommit: string; readonly formerBranch?: string };
}

export interface StepContext {
  readonly onLine: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
  /** See `ChildOptions.owner`. */
  readonly owner?: string | undefined;
}

/** A way in which Luna is installed, and how the next version is got. */
export interface CoreSource {
  /** Looks at what a version would bring; nothing of it is run. */
  inspect(version: string | undefined, context: StepContext): Promise<CoreChange>;
  /** Makes the new version in the folder for that, complete. Nothing of the present one is touched. */
  stage(version: string | undefined, staging: string, context: StepContext): Promise<StagedCore>;
}

/** How long a program may take that installs or builds, in milliseconds. */
export const stepLimitMs = 900_000;
