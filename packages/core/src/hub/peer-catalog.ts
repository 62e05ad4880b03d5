import { LunaError } from '../errors/index.ts';
import { type McpObject, type McpPeer, qualifiedName } from '../tools/index.ts';
import { Pages } from './pages.ts';
import { ResourceUris } from './resource-uris.ts';
import { rpcCodes } from './rpc-error.ts';

/** An MCP server of which a hub shows more than tools. */
export interface VisiblePeer {
  readonly id: string;
  readonly peer: McpPeer;
  readonly resources: readonly McpObject[];
  readonly resourceTemplates: readonly McpObject[];
  readonly prompts: readonly McpObject[];
}

/**
 * Resources and prompts of all servers of a hub, merged: prompts under unique names, resources under URIs that lead to
 * one server. Immutable; another state makes another catalog.
 */
export class PeerCatalog {
  readonly peers: readonly VisiblePeer[];
  readonly uris: ResourceUris<VisiblePeer>;
  readonly resources: Pages<McpObject>;
  readonly resourceTemplates: Pages<McpObject>;
  readonly prompts: Pages<McpObject>;
  readonly #prompts: ReadonlyMap<string, { readonly owner: VisiblePeer; readonly name: string }>;

  constructor(peers: readonly { readonly id: string; readonly peer: McpPeer }[], pageSize: number) {
    this.peers = peers.map(({ id, peer }) => ({
      id,
      peer,
      resources: peer.list('resources'),
      resourceTemplates: peer.list('resourceTemplates'),
      prompts: peer.list('prompts'),
    }));
    // Servers without resources have no say in whose a URI is.
    this.uris = new ResourceUris(this.peers.filter(({ peer }) => peer.capabilities.resources !== undefined));
    this.resources = new Pages('resources', this.#shownResources(), ({ uri }) => String(uri), pageSize);
    this.resourceTemplates = new Pages(
      'resourceTemplates',
      this.#shownTemplates(),
      ({ uriTemplate }) => String(uriTemplate),
      pageSize,
    );
    const found = this.peers.flatMap((owner) => owner.prompts.map((prompt) => ({ owner, prompt })));
    const uses = new Map<unknown, number>();
    for (const { prompt } of found) uses.set(prompt.name, (uses.get(prompt.name) ?? 0) + 1);
    const named = found.map(({ owner, prompt }) => {
      const name = String(prompt.name);
      const qualified = qualifiedName({ source: owner.id, tool: name });
      return { owner, prompt, qualified, name: uses.get(name) === 1 ? name : qualified };
    });
    this.prompts = new Pages<McpObject>(
      'prompts',
      named.map(({ prompt, name }) => ({ ...prompt, name })),
      ({ name }) => String(name),
      pageSize,
    );
    this.#prompts = new Map([
      // The qualified name leads to a prompt at any time, as with tools.
      ...named.map(({ owner, prompt, qualified }) => [qualified, { owner, name: String(prompt.name) }] as const),
      ...named.map(({ owner, prompt, name }) => [name, { owner, name: String(prompt.name) }] as const),
    ]);
  }

  /** The server and the name there of a prompt. Throws `invalid_input` when there is none. */
  prompt(name: unknown): { owner: VisiblePeer; name: string } {
    const found = typeof name === 'string' ? this.#prompts.get(name) : undefined;
    if (!found) throw new LunaError('invalid_input', `Unknown prompt: ${String(name)}`);
    return found;
  }

  /** The server and the URI there of a resource. Throws the error of MCP when it can belong to none or to several. */
  resource(uri: unknown): { owner: VisiblePeer; uri: string } {
    if (typeof uri !== 'string') throw new LunaError('invalid_input', 'The parameter "uri" must be a text.');
    const found = this.uris.resolve(uri);
    if (found) return found;
    const candidates = this.uris.candidates(uri);
    const message =
      candidates.length > 1
        ? `Resource not found: ${uri} could belong to several servers. Ask for one of: ${candidates.join(', ')}`
        : `Resource not found: ${uri}`;
    throw new LunaError('invalid_input', message, {
      details: { rpc: { code: rpcCodes.resourceNotFound, message, data: { uri } } },
    });
  }

  /**
   * What clients are told that the hub can do (MCP `ServerCapabilities`). Of a server that was not reached yet
   * everything is expected: clients ask only once.
   */
  get capabilities(): Record<string, unknown> {
    const has = (name: string) =>
      this.peers.some(({ peer }) => peer.revision === 0 || peer.capabilities[name] !== undefined);
    return {
      tools: { listChanged: true },
      ...(has('resources') && { resources: { subscribe: true, listChanged: true } }),
      ...(has('prompts') && { prompts: { listChanged: true } }),
      ...(has('completions') && { completions: {} }),
      ...(has('logging') && { logging: {} }),
    };
  }

  /** The advice of all servers for the model, each under the server's name where there are several. */
  get instructions(): string | undefined {
    const given = this.peers.flatMap(({ id, peer }) => (peer.instructions ? { id, text: peer.instructions } : []));
    const [first] = given;
    if (first && given.length === 1 && this.peers.length === 1) return first.text;
    return given.length > 0 ? given.map(({ id, text }) => `# ${id}\n\n${text}`).join('\n\n') : undefined;
  }

  #shownResources(): McpObject[] {
    return this.peers.flatMap((owner) =>
      owner.resources.map((resource) => ({ ...resource, uri: this.uris.shown(owner, String(resource.uri)) })),
    );
  }

  #shownTemplates(): McpObject[] {
    return this.peers.flatMap((owner) =>
      owner.resourceTemplates.map((template) => ({
        ...template,
        uriTemplate: this.uris.shownTemplate(owner, String(template.uriTemplate)),
      })),
    );
  }
}
