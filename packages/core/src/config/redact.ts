/** Shorter values are not secrets: covering them would make any text unreadable. */
const shortestSecret = 8;

/** A function that covers each of these values wherever it stands in a text. */
export function redactorOf(values: Iterable<string>): (text: string) => string {
  const secrets = [...new Set(values)]
    .filter((value) => value.length >= shortestSecret)
    .sort((a, b) => b.length - a.length);
  return (text) => secrets.reduce((covered, secret) => covered.replaceAll(secret, '•••'), text);
}
