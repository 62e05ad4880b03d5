import { PromptSchema, ResourceSchema, ResourceTemplateSchema } from '@modelcontextprotocol/core';
import { LunaError } from '../../errors/index.ts';
import { cutBelow, type McpObject, maxToolDepth, overLimit, type PeerListKind, type Tool } from '../../tools/index.ts';
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

const peerLists = ['resources', 'resourceTemplates', 'prompts'] as const;

/** What a server tells when it changed. */
export type ListKind = 'tools' | 'resources' | 'prompts';

export type PeerLists = Partial<Record<PeerListKind, McpObject[]>>;

/** All that a server lists. */
export interface Listed {
  readonly tools: Tool[];
  readonly lists: PeerLists;
}

/** What lists of a server are asked from. */
export interface Lister {
  listTools(): Promise<Tool[]>;
  listOf(kind: PeerListKind): Promise<McpObject[]>;
}

export async function everythingOf(server: Lister): Promise<Listed> {
  const [tools, lists] = await Promise.all([server.listTools(), peerListsOf(server, peerLists)]);
  return { tools, lists };
}

/** These lists of a server, beside that of its tools. */
export async function peerListsOf(server: Lister, kinds: readonly PeerListKind[]): Promise<PeerLists> {
  const lists = await Promise.all(kinds.map(async (kind) => [kind, await server.listOf(kind)] as const));
  return Object.fromEntries(lists);
}

/**
 * All pages of a list, every field as it was sent. An entry that is nested too deep is cut, so that nothing that walks it
 * exhausts its stack, and is still seen to be too deep. Throws `too_large` for a list without end.
 */
export async function listAll(wire: Wire, kind: PeerListKind | 'tools'): Promise<McpObject[]> {
  const listed: McpObject[] = [];
  const seen = new Set<unknown>();
  for (let cursor: unknown; ; ) {
    const signal = AbortSignal.timeout(listLimitMs);
    const page = await wire.request(listMethods[kind], cursor === undefined ? {} : { cursor }, {
      signal,
      cutsDeepAnswer: true,
    });
    const items = page[kind];
    if (Array.isArray(items))
      for (const item of items) if (isObject(item)) listed.push(cutBelow(item, maxToolDepth + 1));
    cursor = page.nextCursor;
    // A server whose cursor comes back would keep us here for ever.
    if (typeof cursor !== 'string' || seen.has(cursor)) return listed;
    seen.add(cursor);
    if (seen.size >= most.pages || listed.length > most.entries)
      throw new LunaError('too_large', `The server lists more than ${listed.length} ${kind} and goes on.`);
  }
}

/**
 * Tools by their names; those without one are of no use to anyone, and of several with the same one a server can be asked
 * for one only. The registry looks at the rest of them.
 */
export function namedTools(listed: readonly McpObject[]): Tool[] {
  const named = listed.filter(
    (value): value is McpObject & Tool => typeof value.name === 'string' && value.name !== '',
  );
  return firstOfEach(named, ({ name }) => name);
}

const entryKinds = {
  resources: { key: 'uri', schema: ResourceSchema },
  resourceTemplates: { key: 'uriTemplate', schema: ResourceTemplateSchema },
  prompts: { key: 'name', schema: PromptSchema },
} as const;

/**
 * Entries that clients can read: one that they cannot makes them refuse the list, with what other servers have in it.
 * What is null in the place of being left out, as some servers write it, is left out.
 */
export function legalEntries(
  kind: PeerListKind,
  listed: readonly McpObject[],
  onLeftOut: (message: string) => void,
): McpObject[] {
  const { key, schema } = entryKinds[kind];
  const legal = listed.flatMap((entry) => {
    if (typeof entry[key] !== 'string' || entry[key] === '' || overLimit(entry, { depth: maxToolDepth })) return [];
    const issues = schema.safeParse(entry).error?.issues;
    if (!issues) return [entry];
    const mended = withoutNulls(entry, issues);
    const [issue] = schema.safeParse(mended).error?.issues ?? [];
    if (!issue) return [mended];
    onLeftOut(`"${entry[key].slice(0, 200)}" is left out of its ${kind}: ${issue.path.join('.')}: ${issue.message}.`);
    return [];
  });
  return firstOfEach(legal, (entry) => entry[key]);
}

/** A copy without the fields to which these paths lead, where they are null. */
function withoutNulls(entry: McpObject, issues: readonly { readonly path: readonly PropertyKey[] }[]): McpObject {
  const copy = structuredClone(entry);
  for (const { path } of issues) {
    const name = path.at(-1);
    let holder: unknown = copy;
    for (const step of path.slice(0, -1)) holder = (holder as Record<PropertyKey, unknown> | undefined)?.[step];
    if (isObject(holder) && typeof name === 'string' && holder[name] === null) Reflect.deleteProperty(holder, name);
  }
  return copy;
}

function firstOfEach<Entry>(entries: readonly Entry[], keyOf: (entry: Entry) => unknown): Entry[] {
  const seen = new Set<unknown>();
  return entries.filter((entry) => seen.size < seen.add(keyOf(entry)).size);
}

function isObject(value: unknown): value is McpObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
