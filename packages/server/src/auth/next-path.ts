/** A page of this Luna to go on to after signing in; anything that could lead elsewhere becomes `/`. */
export function nextPath(wanted: unknown): string {
  if (typeof wanted !== 'string' || !/^\/(?![/\\])/.test(wanted) || /[\\\p{Cc}]/u.test(wanted)) return '/';
  const here = 'http://here.invalid';
  if (!URL.canParse(wanted, here)) return '/';
  const url = new URL(wanted, here);
  if (url.origin !== here || url.pathname.startsWith('//') || /^\/(?:sign-in|auth\/login)\/?$/i.test(url.pathname))
    return '/';
  return url.pathname + url.search + url.hash;
}
