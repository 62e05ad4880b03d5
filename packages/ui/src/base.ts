/**
 * Where on its host this Luna is: the server writes it into the page. Paths of the router, in links and in `next`, are
 * paths within Luna; what the browser is given by itself goes through {@link atBase}.
 */

let known: string | undefined;

/** The path below which Luna is served, such as `/luna`; empty at the root. */
export function basePath(): string {
  const told = document.querySelector<HTMLMetaElement>('meta[name="luna-base"]')?.content ?? '/';
  known ??= new URL(told, location.origin).pathname.replace(/\/+$/, '');
  return known;
}

/** A path within Luna, as the browser has to ask for it. */
export function atBase(path: string): string {
  return basePath() + path;
}
