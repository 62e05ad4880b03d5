/** Shorter values are not secrets: covering them would make any text unreadable. */
const shortestSecret = 8;

/** A function that covers each of these values wherever it stands in a text, also as part of JSON. */
export function redactorOf(values: Iterable<string>): (text: string) => string {
  const secrets = [...new Set([...values].flatMap((value) => [value, JSON.stringify(value).slice(1, -1)]))]
    .filter((value) => value.length >= shortestSecret)
    .sort((a, b) => b.length - a.length);
  return (text) => secrets.reduce((covered, secret) => covered.replaceAll(secret, '•••'), text);
}
