import { createHash } from 'node:crypto';
import type { McpObject } from '../tools/index.ts';

/** The resources of one server, for finding out whose a URI is. */
export interface ResourceOwner {
  /** The id of its source. */
  readonly id: string;
  readonly resources: readonly McpObject[];
  readonly resourceTemplates: readonly McpObject[];
}

/**
 * Whose a resource is, and how clients see its URI. A URI that leads to one server only stays as it is. One that
 * several servers could mean is shown with its server in front: `luna.<server>+<URI>`.
 */
export class ResourceUris<Owner extends ResourceOwner> {
  readonly #owners: readonly Owner[];
  readonly #byAlias: ReadonlyMap<string, Owner>;
  readonly #aliases: ReadonlyMap<Owner, string>;
  readonly #listed = new Map<string, Owner | 'several'>();
  readonly #templates: readonly { readonly owner: Owner; readonly literals: readonly string[] }[];

  constructor(owners: readonly Owner[]) {
    this.#owners = owners;
    this.#aliases = aliasesOf(owners);
    this.#byAlias = new Map([...this.#aliases].map(([owner, alias]) => [alias, owner]));
    for (const owner of owners) {
      for (const uri of owner.resources.flatMap(({ uri }) => (typeof uri === 'string' ? uri : []))) {
        const other = this.#listed.get(uri);
        this.#listed.set(uri, other === undefined || other === owner ? owner : 'several');
      }
    }
    this.#templates = owners.flatMap((owner) =>
      owner.resourceTemplates.flatMap(({ uriTemplate }) =>
        typeof uriTemplate === 'string' ? { owner, literals: uriTemplate.split(/\{[^}]*\}/) } : [],
      ),
    );
  }

  /** The server that a URI, as a client knows it, belongs to, and the URI as that server knows it. */
  resolve(uri: string): { owner: Owner; uri: string } | undefined {
    const marked = /^luna\.([a-z0-9.-]+)\+/i.exec(uri);
    const named = marked?.[1] !== undefined ? this.#byAlias.get(marked[1].toLowerCase()) : undefined;
    if (marked && named) return { owner: named, uri: uri.slice(marked[0].length) };
    const owner = this.#ownerOf(uri);
    return owner && { owner, uri };
  }

  /** A URI of a server as clients see it. */
  shown(owner: Owner, uri: string): string {
    return this.#owners.length === 1 || this.#ownerOf(uri) === owner ? uri : this.#marked(owner, uri);
  }

  /** A URI template of a server as clients see it; the same holds for what they make of it. */
  shownTemplate(owner: Owner, template: string): string {
    const clashes = this.#templates.some(
      (other) => other.owner !== owner && (template.split(/\{[^}]*\}/)[0] ?? '') === (other.literals[0] ?? ''),
    );
    return clashes ? this.#marked(owner, template) : template;
  }

  /** The servers that a URI without a mark could belong to. */
  candidates(uri: string): string[] {
    return this.#owners.map((owner) => this.#marked(owner, uri));
  }

  #marked(owner: Owner, uri: string): string {
    return `luna.${this.#aliases.get(owner)}+${uri}`;
  }

  #ownerOf(uri: string): Owner | undefined {
    const listed = this.#listed.get(uri);
    if (listed !== undefined) return listed === 'several' ? undefined : listed;
    const byTemplate = only(this.#templates.filter(({ literals }) => matches(uri, literals)).map(({ owner }) => owner));
    if (byTemplate !== 'none') return byTemplate === 'several' ? undefined : byTemplate;
    if (this.#owners.length === 1) return this.#owners[0];
    const place = placeOf(uri);
    const bySpace = only([
      ...[...this.#listed].flatMap(([other, owner]) => (owner !== 'several' && placeOf(other) === place ? owner : [])),
      ...this.#templates.filter(({ literals }) => placeOf(literals[0] ?? '') === place).map(({ owner }) => owner),
    ]);
    return typeof bySpace === 'string' ? undefined : bySpace;
  }
}

/** Whether the literal parts of a template stand in a URI in this order: linear, whatever the template. */
function matches(uri: string, literals: readonly string[]): boolean {
  const [first = '', ...rest] = literals;
  if (!uri.startsWith(first)) return false;
  if (rest.length === 0) return uri.length === first.length;
  let at = first.length;
  for (const [index, literal] of rest.entries()) {
    if (index === rest.length - 1) return uri.length - literal.length >= at && uri.endsWith(literal);
    const found = uri.indexOf(literal, at);
    if (found < 0) return false;
    at = found + literal.length;
  }
  return true;
}

/** Scheme and authority: `test://` of `test://a/b` has the authority `a`. */
function placeOf(uri: string): string {
  return /^[^:]*:(?:\/\/[^/{]*)?/.exec(uri)?.[0] ?? '';
}

function only<Owner>(owners: readonly Owner[]): Owner | 'none' | 'several' {
  const [first, ...rest] = new Set(owners);
  if (first === undefined) return 'none';
  return rest.length > 0 ? 'several' : first;
}

/** Ids made fit for the scheme of a URI, which knows no capitals and no underscore. */
function aliasesOf<Owner extends ResourceOwner>(owners: readonly Owner[]): Map<Owner, string> {
  const plain = owners.map(({ id }) => id.toLowerCase().replace(/[^a-z0-9.-]/g, '-'));
  return new Map(
    owners.map((owner, index) => {
      const alias = plain[index] ?? '';
      const isOwn = plain.indexOf(alias) === plain.lastIndexOf(alias);
      return [owner, isOwn ? alias : `${alias}-${createHash('sha256').update(owner.id).digest('hex').slice(0, 8)}`];
    }),
  );
}
