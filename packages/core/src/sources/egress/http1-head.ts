import { errors } from 'undici';

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** What RFC 9110 lets a value hold: no line ends, nothing that is not one byte. */
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/;
/** These are between two ends of a connection, and the pool's own. */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'content-length',
  'transfer-encoding',
  'upgrade',
  'expect',
  'te',
]);

/**
 * The lines of a request's head below its first. Throws `InvalidArgumentError` for a header that would change where
 * the request ends or what it asks for.
 */
export function requestHead(host: string, headers: Readonly<Record<string, unknown>> = {}): string {
  let lines = '';
  let named = host;
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || value === null) continue;
    const text = String(value);
    if (!token.test(name)) throw new errors.InvalidArgumentError(`"${name}" is no name of a header.`);
    if (!fieldValue.test(text))
      throw new errors.InvalidArgumentError(`The value of the header "${name}" is not valid.`);
    const lower = name.toLowerCase();
    if (hopByHop.has(lower)) throw new errors.InvalidArgumentError(`The header "${name}" cannot be set.`);
    if (lower === 'host') named = text;
    else lines += `${name}: ${text}\r\n`;
  }
  return `host: ${named}\r\nconnection: keep-alive\r\n${lines}`;
}
