/**
 * What is asked within a Luna that is served below a base path such as `/luna`: the target of a request without the base.
 * Undefined for one that does not begin with it. The base is compared as it is written: what is a part of a longer name
 * (`/lunatic`), or encoded, stays what it is.
 *
 * The metadata of OAuth has the base behind its name (RFC 8414, section 3.1; RFC 9728, section 3.1):
 * `/.well-known/oauth-authorization-server/luna`.
 */
export function pathWithin(target: string, base: string): string | undefined {
  const rest = behind(target, base);
  if (rest !== undefined) return rest.startsWith('/') ? rest : `/${rest}`;
  const name = wellKnown.exec(target)?.[0];
  const inserted = name === undefined ? undefined : behind(target.slice(name.length), base);
  return inserted === undefined ? undefined : name + inserted;
}

const wellKnown = /^\/\.well-known\/(?:oauth-authorization-server|openid-configuration|oauth-protected-resource)(?=\/)/;

function behind(target: string, base: string): string | undefined {
  if (!target.startsWith(base)) return undefined;
  const rest = target.slice(base.length);
  return rest === '' || rest.startsWith('/') || rest.startsWith('?') ? rest : undefined;
}
