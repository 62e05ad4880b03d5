/** Where people see what a program answers. */
export interface ShownAt {
  /** The path below which Luna itself is served; empty at the root. */
  readonly basePath: string;
  /** The program's place within Luna: `/ext/board`. */
  readonly prefix: string;
  /** Whether the program knows nothing of the prefix. */
  readonly stripPrefix: boolean;
  /** Where the program listens, as it knows itself. */
  readonly origin: string;
  /** The host that was asked for. */
  readonly host: string;
}

/** Paths to which a program leads when it means another part of Luna. */
const ownPaths = /^\/(?:api|auth|ext|ext_service|v1|sign-in)(?:\/|\?|#|$)/;

/**
 * Where a program leads (`Location`), as the browser has to be told: programs know their own paths, and nothing of what
 * stands before these. Addresses elsewhere, and relative ones, stay as they are.
 */
export function shownLocation(location: string, at: ShownAt): string {
  const isWhole = /^(?:[a-z][a-z0-9+.-]*:|[/\\]{2})/i.test(location);
  if (!(isWhole || location.startsWith('/')) || !URL.canParse(location, at.origin)) return location;
  const url = new URL(location, at.origin);
  if (url.origin !== at.origin && url.host !== at.host) return location;
  const path = shownPath(url.pathname, at) + url.search + url.hash;
  return url.origin === at.origin ? path : url.origin + path;
}

/** A cookie of a program: its path begins where Luna does. */
export function shownCookie(cookie: string, { basePath }: Pick<ShownAt, 'basePath'>): string {
  // A browser takes those only with the path "/".
  if (basePath === '' || /^__Host-/i.test(cookie)) return cookie;
  return cookie.replace(/(;\s*path=)(\/[^;]*)/i, (whole, name: string, path: string) =>
    isWithin(path, basePath) ? whole : `${name}${basePath}${path === '/' ? '' : path}`,
  );
}

function shownPath(path: string, { basePath, prefix, stripPrefix }: ShownAt): string {
  if (basePath !== '' && isWithin(path, basePath)) return path;
  const isOutside = !stripPrefix || isWithin(path, prefix) || ownPaths.test(path);
  return isOutside ? basePath + path : basePath + prefix + path;
}

function isWithin(path: string, base: string): boolean {
  return path === base || path.startsWith(`${base}/`);
}
