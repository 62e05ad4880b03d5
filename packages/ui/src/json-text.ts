/** JSON of an object or a list with line breaks; other text as it is. */
export function indented(text: string): string {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    // Shortened, or no JSON at all.
    return text;
  }
}

/** Reads arguments of a tool: `{ args }`, or what is `wrong` with them. Empty text stands for none. */
export function readArguments(text: string): { args: Record<string, unknown> } | { wrong: string } {
  if (text.trim() === '') return { args: {} };
  try {
    const args: unknown = JSON.parse(text);
    return typeof args === 'object' && args !== null && !Array.isArray(args)
      ? { args: { ...args } }
      : { wrong: 'The arguments must be a JSON object, such as {"name":"value"}.' };
  } catch (thrown) {
    return { wrong: `The arguments are not valid JSON: ${thrown instanceof Error ? thrown.message : String(thrown)}` };
  }
}
