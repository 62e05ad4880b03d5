import { LunaError } from '../../errors/index.ts';
import type { McpObject, PeerListKind, Tool } from '../../tools/index.ts';
import type { Wire } from './wire.ts';

/** The longest time for one page of a list, in milliseconds. */
const listLimitMs = 60_000;
/** A list that is longer has no end. */
const most = { pages: 1_000, entries: 50_000 } as const;

/** The requests of MCP that list something, and where their results hold it. */
export const listMethods = {
  tools: 'tools/list',
  resources: 'resources/list',
  resourceTemplates: 'resources/templates/list',
  prompts: 'prompts/list',
} as const satisfies Record<PeerListKind | 'tools', string>;

/** All pages of a list, every field as it was sent. Throws `too_large` for one without end. */
export async function listAll(wire: Wire, kind: PeerListKind | 'tools'): Promise<McpObject[]> {
  const listed: McpObject[] = [];
  const seen = new Set<unknown>();
  for (let cursor: unknown; ; ) {
    const signal = AbortSignal.timeout(listLimitMs);
    const page = await wire.request(listMethods[kind], cursor === undefined ? {} : { cursor }, { signal });
    const items = page[kind];
    if (Array.isArray(items)) listed.push(...items.filter(isObject));
    cursor = page.nextCursor;
    // A server whose cursor comes back would keep us here for ever.
    if (typeof cursor !== 'string' || seen.has(cursor)) return listed;
    seen.add(cursor);
    if (seen.size >= most.pages || listed.length > most.entries)
      throw new LunaError('too_large', `The server lists more than ${listed.length} ${kind} and goes on.`);
  }
}

/** Tools by their names; those without one are of no use to anyone. The registry looks at the rest of them. */
export function namedTools(listed: readonly McpObject[]): Tool[] {
  return listed.filter((value): value is McpObject & Tool => typeof value.name === 'string' && value.name !== '');
}

/** What identifies an entry of a list; entries without it are of no use to anyone. */
export function legalEntries(kind: PeerListKind, listed: readonly McpObject[]): McpObject[] {
  const key = { resources: 'uri', resourceTemplates: 'uriTemplate', prompts: 'name' }[kind];
  return listed.filter((entry) => typeof entry[key] === 'string' && entry[key] !== '');
}

function isObject(value: unknown): value is McpObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
