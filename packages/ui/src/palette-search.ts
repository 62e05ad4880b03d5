import { hasWords, searchWords } from './words.ts';

/** What can be gone to, or done. */
export interface PaletteItem {
  readonly label: string;
  readonly icon: string;
  /** Said beside it, and looked through too. */
  readonly note?: string;
  readonly run: () => void;
}

export interface PaletteGroup {
  readonly label: string;
  readonly items: readonly PaletteItem[];
  /** Shown only when something was typed. */
  readonly hidden?: boolean;
}

/** So many of each group are shown. */
const shownItems = 12;

/** The groups with the items that have all of the words; those whose name begins with what was typed come first. */
export function searchPalette(groups: readonly PaletteGroup[], typed: string): PaletteGroup[] {
  const words = searchWords(typed);
  const rank = ({ label }: PaletteItem) => (label.toLowerCase().startsWith(words.join(' ')) ? 0 : 1);
  return groups
    .filter(({ hidden }) => words.length > 0 || !hidden)
    .map((group) => {
      const fitting = group.items.filter(({ label, note = '' }) => hasWords(`${label} ${note}`, words));
      return {
        ...group,
        items: fitting.toSorted((a, b) => rank(a) - rank(b)).slice(0, words.length > 0 ? shownItems : fitting.length),
      };
    })
    .filter(({ items }) => items.length > 0);
}
