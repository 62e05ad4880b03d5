import { createHash } from 'node:crypto';

/** The longest name that Luna gives a tool, in characters. Several model APIs refuse more than 64. */
export const maxToolNameLength = 64;

/** Where a tool comes from and what it is called there. */
export interface ToolOrigin {
  readonly source: string;
  readonly tool: string;
}

/**
 * Gives each tool a name that is unique, legal in MCP (`[A-Za-z0-9._-]`) and at most {@link maxToolNameLength} long.
 * A name that is all that already stays as it is. Tools of different sources with the same name all become
 * `source__tool`, whatever the order in which the sources came. The result has one name per origin, in order.
 */
export function nameTools(origins: readonly ToolOrigin[]): string[] {
  const plain = origins.map((origin) => legalName(origin.tool));
  const uses = countOf(plain);
  const names = plain.map((name, index) => {
    const origin = origins[index];
    return origin !== undefined && (uses.get(name) ?? 0) > 1 ? qualifiedName(origin) : name;
  });
  return settleCollisions(names, origins);
}

/** The name of a tool with its source in front: `source__tool`, made legal and short. */
export function qualifiedName(origin: ToolOrigin): string {
  const full = `${origin.source}__${origin.tool}`;
  const legal = full.replace(/[^A-Za-z0-9._-]/g, '_');
  // `a__b` could be tool `b` of `a`; with such a source in front, `a__b__c` would have two meanings.
  const isClear = !/__|_$/.test(origin.source);
  if (legal === full && full.length <= maxToolNameLength && isClear) return full;
  return withDigest(legal, keyOf(origin));
}

/**
 * A legal, short form of any name; names that differ get forms that differ. Never `__proto__`: names are keys of
 * settings, and of objects that clients make, where that one is lost.
 */
export function legalName(name: string): string {
  if (/^[A-Za-z0-9._-]+$/.test(name) && name.length <= maxToolNameLength && name !== '__proto__') return name;
  return withDigest(name.replace(/[^A-Za-z0-9._-]/g, '_'), name);
}

function withDigest(legal: string, original: string): string {
  const digest = createHash('sha256').update(original).digest('hex').slice(0, 10);
  return `${legal.slice(0, maxToolNameLength - digest.length - 1)}_${digest}`;
}

/**
 * A qualified name can meet a plain one that happens to be spelled so, and a source can list a name twice. The digest
 * of the origin tells them apart, so that each keeps its name whatever else is there.
 */
function settleCollisions(names: string[], origins: readonly ToolOrigin[]): string[] {
  const uses = countOf(names);
  if (uses.size === names.length) return names;
  const taken = new Set(uses.keys());
  return names.map((name, index) => {
    const origin = origins[index];
    if (uses.get(name) === 1 || !origin) return name;
    for (let attempt = 0; ; attempt++) {
      const candidate = withDigest(name, `${keyOf(origin)}\0${attempt}`);
      if (taken.has(candidate)) continue;
      taken.add(candidate);
      return candidate;
    }
  });
}

function keyOf({ source, tool }: ToolOrigin): string {
  return `${source}\0${tool}`;
}

function countOf(names: readonly string[]): Map<string, number> {
  const uses = new Map<string, number>();
  for (const name of names) uses.set(name, (uses.get(name) ?? 0) + 1);
  return uses;
}
