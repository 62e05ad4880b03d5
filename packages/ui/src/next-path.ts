/** A page of this site to go on to after signing in; anything that could lead elsewhere becomes the dashboard. */
export function nextPath(wanted: unknown): string {
  if (typeof wanted !== 'string' || !wanted.startsWith('/')) return '/';
  const base = 'http://here.invalid';
  if (!URL.canParse(wanted, base)) return '/';
  const url = new URL(wanted, base);
  if (url.origin !== base || url.pathname.startsWith('//') || /^\/sign-in\/?$/i.test(url.pathname)) return '/';
  return url.pathname + url.search + url.hash;
}

/** Whether the server itself shows this page, as that on which a person lets a client in, or one of a program. */
export function isPageOfServer(path: string): boolean {
  return /^\/(?:auth|ext|ext_service)\//.test(path);
}
