/**
 * Where people reach a Luna: a host, and below it the root or a path of its own, as in https://example.org/luna. Paths
 * within Luna never hold that base; it is taken off requests and put before what Luna gives out.
 */

/** First segments of Luna's own paths: below one of these a request could be read in two ways. */
const ownSegments = new Set([
  ...['api', 'auth', 'ext', 'ext_service', 'v1', 'mcp', 'assets'],
  ...['health', 'healthz', 'readyz', 'metrics', '.well-known'],
]);

const maxPathLength = 200;

/** What is wrong with an address of Luna such as `https://example.org/luna`; undefined for a good one. */
export function publicUrlProblem(url: string): string | undefined {
  const [, authority = '', rest = ''] = /^https?:\/\/([^/?#\\\s]+)([^\s]*)$/i.exec(url) ?? [];
  if (authority === '' || authority.includes('@') || !URL.canParse(url))
    return 'must be an address such as https://luna.example.com or https://example.com/luna';
  if (/[?#]/.test(rest)) return 'must hold no "?" and no "#"';
  return pathProblem(rest);
}

/** What is wrong with a name, perhaps with a port and a path, such as `example.org/luna`. */
export function publicDomainProblem(domain: string): string | undefined {
  if (/^[a-z]+:\/\//i.test(domain)) return 'must be a name without https://, such as luna.example.com';
  const problem = publicUrlProblem(`https://${domain}`);
  return problem?.startsWith('must be an address')
    ? 'must be a name such as luna.example.com, or example.com/luna'
    : problem;
}

/** An address without what says nothing: the usual port, capitals in the name, a slash at its end. */
export function tidyPublicUrl(url: string): string {
  if (!URL.canParse(url)) return url;
  const { origin, pathname } = new URL(url);
  return origin + pathname.replace(/\/+$/, '');
}

/** The path of an address without a slash at its end: `/luna`, or empty where Luna has the whole host. */
export function publicPathOf(url: string): string {
  return URL.canParse(url) ? new URL(url).pathname.replace(/\/+$/, '') : '';
}

function pathProblem(path: string): string | undefined {
  const segments = path.replace(/^\/|\/$/g, '').split('/');
  if (segments.length === 1 && segments[0] === '') return undefined;
  if (path.length > maxPathLength) return `must have a path of at most ${maxPathLength} characters`;
  if (segments.some((segment) => !/^[A-Za-z0-9._~-]+$/.test(segment) || /^\.{1,2}$/.test(segment)))
    return 'may have only letters, digits, ".", "_", "~" and "-" between the slashes of its path';
  const first = segments[0]?.toLowerCase() ?? '';
  return ownSegments.has(first) ? `must have another path: "/${first}" is one of Luna's own` : undefined;
}
