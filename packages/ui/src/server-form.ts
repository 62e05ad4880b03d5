/** Words of a command line: separated by spaces, a quoted part is one word. No other sign has a meaning. */
export function wordsOf(line: string): string[] {
  const words = line.matchAll(/(?:"([^"]*)"|'([^']*)'|([^\s"']+))+/g);
  return [...words].map(([word]) =>
    word.replace(/"([^"]*)"|'([^']*)'/g, (_all, double, single) => double ?? single ?? ''),
  );
}

/** Names and values, one pair a line, split at the first separator. Lines without one are left out. */
export function pairsOf(text: string, separator: ':' | '='): Record<string, string> | undefined {
  const pairs = text.split('\n').flatMap((line) => {
    const at = line.indexOf(separator);
    return at > 0 ? [[line.slice(0, at).trim(), line.slice(at + 1).trim()] as const] : [];
  });
  return pairs.length > 0 ? Object.fromEntries(pairs) : undefined;
}
