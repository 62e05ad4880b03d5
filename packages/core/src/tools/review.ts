import type { ToolSource } from './source.ts';
import type { Tool } from './tool.ts';

/** A tool after somebody has looked at it, before anybody can see or call it. */
export interface ReviewedTool {
  /** As it is shown. The very object of the source where nothing had to be changed. */
  readonly tool: Tool;
  /** Why nobody may see or call it now, for a person. */
  readonly heldBack?: string;
  /** What was changed, or should be known, for a person. */
  readonly note?: string;
}

/** Looks at what a source lists, each time that changes. One result per tool, in the same order. */
export type ToolReview = (source: ToolSource, listed: readonly Tool[]) => readonly ReviewedTool[];

/** One review after another; each looks at what those before have let pass. */
export function inTurn(...reviews: readonly ToolReview[]): ToolReview {
  return (source, listed) => {
    let results: ReviewedTool[] = listed.map((tool) => ({ tool }));
    for (const review of reviews) {
      const passed = results.filter(({ heldBack }) => heldBack === undefined);
      const looked = review(
        source,
        passed.map(({ tool }) => tool),
      )[Symbol.iterator]();
      results = results.map((former) => {
        if (former.heldBack !== undefined) return former;
        const now = looked.next().value ?? former;
        return former.note === undefined ? now : { ...now, note: [former.note, now.note].filter(Boolean).join(' ') };
      });
    }
    return results;
  };
}
