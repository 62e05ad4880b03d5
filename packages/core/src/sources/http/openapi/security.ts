import { LunaError } from '../../../errors/index.ts';
import { isObject, type JsonObject, type OpenApiDocument, resolved } from './document.ts';

/** Where a credential goes. */
export interface Credential {
  readonly place: 'header' | 'query' | 'cookie';
  readonly name: string;
  /** Made from what the file says, with `${NAME}` in it. */
  readonly value: (secret: (text: string) => string) => string;
}

/**
 * The credentials of an operation: those of the first of its alternatives for which the file has all. `auth`: what the
 * file says, by the name of the scheme. Where it has none the call says which to set.
 */
export function credentialsOf(
  document: OpenApiDocument,
  operation: JsonObject,
  auth: Readonly<Record<string, string>>,
): () => readonly Credential[] {
  const listed = Array.isArray(operation.security) ? operation.security : (document.security ?? []);
  const alternatives = listed.filter(isObject).map((one) => Object.keys(one));
  const schemes =
    isObject(document.components) && isObject(document.components.securitySchemes)
      ? document.components.securitySchemes
      : {};
  if (alternatives.length === 0) return () => [];
  const chosen = alternatives.find((names) => names.length > 0 && names.every((name) => Object.hasOwn(auth, name)));
  if (chosen) {
    const credentials = chosen.map((name) => credentialOf(resolved(document, schemes[name]), auth[name] ?? '', name));
    return () => credentials;
  }
  if (alternatives.some((names) => names.length === 0)) return () => [];
  return () => {
    const names = alternatives.map((one) => one.join(' and ')).join(', or ');
    throw new LunaError(
      'unauthorized',
      `This call needs a credential: set "auth" for ${names} in the file of this service.`,
      {
        details: { outcome: 'failed' },
      },
    );
  };
}

function credentialOf(scheme: unknown, text: string, name: string): Credential {
  const { type, in: place, name: field, scheme: kind } = isObject(scheme) ? scheme : {};
  if (type === 'apiKey' && typeof field === 'string') {
    const where = place === 'query' || place === 'cookie' ? place : 'header';
    return { place: where, name: field, value: (secret) => secret(text) };
  }
  if (type === 'http' && String(kind).toLowerCase() === 'basic') {
    return {
      place: 'header',
      name: 'authorization',
      value: (secret) => `Basic ${Buffer.from(secret(text)).toString('base64')}`,
    };
  }
  if (type === 'http' || type === 'oauth2' || type === 'openIdConnect') {
    const scheme = type === 'http' && typeof kind === 'string' && kind.toLowerCase() !== 'bearer' ? kind : 'Bearer';
    return { place: 'header', name: 'authorization', value: (secret) => `${scheme} ${secret(text)}` };
  }
  throw new LunaError(
    'extension_invalid',
    `The security scheme "${name}" is of a kind that is not known here: ${String(type)}.`,
  );
}
