/** The words that somebody looks for. */
export function searchWords(typed: string): string[] {
  return typed.toLowerCase().split(/\s+/).filter(Boolean);
}

/** Whether a text has all of the words. */
export function hasWords(text: string, words: readonly string[]): boolean {
  const lower = text.toLowerCase();
  return words.every((word) => lower.includes(word));
}

/** Whether what is said of a tool has all of the words. */
export function toolFits(
  tool: { readonly name: string; readonly title?: string; readonly source: string; readonly description?: string },
  words: readonly string[],
): boolean {
  return hasWords(`${tool.name} ${tool.title ?? ''} ${tool.source} ${tool.description ?? ''}`, words);
}
