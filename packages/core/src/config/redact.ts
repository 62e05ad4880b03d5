/** Shorter values are not secrets: covering them would make any text unreadable. */
const shortestSecret = 8;

/** A function that covers each of these values wherever it stands in a text, also as part of JSON. */
export function redactorOf(values: Iterable<string>): (text: string) => string {
  const secrets = [...new Set([...values].flatMap((value) => [value, JSON.stringify(value).slice(1, -1)]))]
    .filter((value) => value.length >= shortestSecret)
    .sort((a, b) => b.length - a.length);
  return (text) => secrets.reduce((covered, secret) => covered.replaceAll(secret, '•••'), text);
}

/** The same JSON value with every text in it covered; names stay as they are. */
export function redactIn(value: unknown, redact: (text: string) => string): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map((item) => redactIn(item, redact));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, redactIn(item, redact)]));
}

const secretName = /secret|passw(?:or)?d|passphrase|token|credential|api[-_]?key|private[-_]?key|authorization|cookie/i;

/** Whether a header, variable or argument of this name is likely to hold a secret. */
export function namesSecret(name: string): boolean {
  return secretName.test(name) || /^(?:x-)?key$/i.test(name);
}

/** The values of everything in a JSON value that is named as a secret. */
export function secretsIn(value: unknown, isSecret = false): string[] {
  if (typeof value === 'string') return isSecret ? [value] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    secretsIn(inner, (isSecret && Array.isArray(value)) || namesSecret(name)),
  );
}
