import type { EnvFile, RemoteServerConfig } from '../config/index.ts';
import { resolveReferences } from '../config/index.ts';
import { LunaError } from '../errors/index.ts';
import {
  type Authorize,
  digestOf,
  isRecent,
  McpSource,
  TokenStore,
  UpstreamAuthorization,
  type UpstreamClient,
} from '../sources/index.ts';
import type { ToolSource } from '../tools/index.ts';
import { encryptionKeyName, makeKey } from './keys.ts';

export interface UpstreamAuthorizationsOptions {
  /** Where tokens are kept, encrypted. */
  readonly file: string;
  readonly env: EnvFile;
  /** The running source of a server. */
  readonly source: (id: string) => ToolSource | undefined;
  readonly onSecret: (secret: string) => void;
  readonly onLog: (server: string, line: string) => void;
}

/** What an authorization server sends back with the person. */
export interface AuthorizationAnswer {
  readonly state: string;
  readonly code?: string;
  readonly iss?: string;
  readonly error?: string;
}

/** Luna's authorizations at MCP servers that people authorize in the browser. */
export class UpstreamAuthorizations {
  readonly #options: UpstreamAuthorizationsOptions;
  readonly #store: TokenStore;
  readonly #byServer = new Map<string, UpstreamAuthorization>();
  #secret: Promise<string> | undefined;

  constructor(options: UpstreamAuthorizationsOptions) {
    this.#options = options;
    this.#store = new TokenStore({
      file: options.file,
      secret: () => this.#encryptionKey(),
      onLog: (line) => options.onLog('authorization', line),
    });
  }

  /** For the source of a server: its authorization; undefined where the server gets a header of its own instead. */
  authorizeFor(id: string, server: RemoteServerConfig): Authorize | undefined {
    const hasOwn = Object.keys(server.headers ?? {}).some((name) => name.toLowerCase() === 'authorization');
    const { url } = server;
    this.#byServer.delete(id);
    if (url === undefined || hasOwn) return undefined;
    return (fetchIt) => {
      const authorization = new UpstreamAuthorization({
        server: id,
        url: new URL(url),
        store: this.#store,
        fetch: fetchIt,
        client: () => this.#client(id, server),
        scope: server.oauth?.scope,
        onSecret: this.#options.onSecret,
        onLog: (line) => this.#options.onLog(id, line),
      });
      this.#byServer.set(id, authorization);
      return authorization;
    };
  }

  /** Whether Luna holds tokens for a server. */
  isAuthorized(id: string): boolean {
    return this.#byServer.get(id)?.isAuthorized ?? false;
  }

  /**
   * Begins an authorization; returns where the person has to go. Afterwards they come back to `redirectUrl`.
   * `owner` is who may finish it. Throws `conflict` for a server that does not work by authorization.
   */
  async begin(id: string, redirectUrl: string, owner: string): Promise<string> {
    return (await this.#of(id).begin(redirectUrl, owner)).href;
  }

  /**
   * Finishes an authorization; the server is connected at once. A state works once. Throws `forbidden` for a state
   * that is unknown, too old, or belongs to none of the owners, and where the person or the server refused.
   */
  async finish(answer: AuthorizationAnswer, owners: readonly string[]): Promise<{ server: string }> {
    const digest = digestOf(answer.state);
    const server = [...(await this.#store.all())].find(([, { flows }]) => Object.hasOwn(flows, digest))?.[0];
    const flow = server === undefined ? undefined : await this.#takeFlow(server, digest, owners);
    if (server === undefined || !flow || !isRecent(flow.startedAt)) {
      throw new LunaError(
        'forbidden',
        'This authorization was finished already, is too old, or was begun by someone else. Begin again in Luna, in this browser.',
      );
    }
    if (answer.code === undefined) {
      const reason = /^[a-z_]{1,40}$/.exec(answer.error ?? '')?.[0] ?? 'no reason given';
      throw new LunaError('forbidden', `The server "${server}" was not authorized: ${reason}.`);
    }
    await this.#of(server).finish(flow, { code: answer.code, iss: answer.iss });
    const source = this.#options.source(server);
    if (source instanceof McpSource) await source.retry();
    return { server };
  }

  /** Gives tokens back and forgets them; the server has to be authorized anew. */
  async disconnect(id: string): Promise<void> {
    await this.#of(id).disconnect();
    const source = this.#options.source(id);
    if (source instanceof McpSource) await source.reconnect();
  }

  /** For a server that is removed: gives its tokens back where it runs, and keeps nothing in any case. */
  async forget(id: string): Promise<void> {
    const authorization = this.#options.source(id) && this.#byServer.get(id);
    this.#byServer.delete(id);
    if (authorization) await authorization.disconnect();
    else if (await this.#store.has(id)) await this.#store.change(id, () => undefined);
  }

  /** A flow that is taken out of the store cannot be used a second time. */
  async #takeFlow(server: string, digest: string, owners: readonly string[]) {
    let taken: Awaited<ReturnType<TokenStore['read']>>;
    await this.#store.change(server, (record) => {
      const flow = record?.flows[digest];
      if (!record || !flow || !owners.includes(flow.owner)) return record;
      taken = record;
      const { [digest]: _taken, ...flows } = record.flows;
      return { ...record, flows };
    });
    return taken?.flows[digest];
  }

  #of(id: string): UpstreamAuthorization {
    const authorization = this.#options.source(id) && this.#byServer.get(id);
    if (authorization) return authorization;
    throw new LunaError(
      'conflict',
      `The server "${id}" is not one that can be authorized: it does not run, is no URL, or has an Authorization header of its own.`,
    );
  }

  async #client(id: string, { oauth }: RemoteServerConfig): Promise<UpstreamClient | undefined> {
    if (oauth?.client_id === undefined) return undefined;
    const values = await this.#options.env.read();
    const resolve = (text: string) => resolveReferences(text, values, `The server "${id}"`);
    const { client_id, client_secret } = oauth;
    return {
      client_id: resolve(client_id),
      ...(client_secret !== undefined && { client_secret: resolve(client_secret) }),
    };
  }

  /** Made once, when there is something to encrypt. */
  #encryptionKey(): Promise<string> {
    this.#secret ??= this.#readOrMakeKey().catch((thrown) => {
      this.#secret = undefined;
      throw thrown;
    });
    return this.#secret;
  }

  async #readOrMakeKey(): Promise<string> {
    const { env } = this.#options;
    const present = (await env.read())[encryptionKeyName];
    if (present) return present;
    const made = makeKey('');
    await env.set({ [encryptionKeyName]: made });
    return made;
  }
}
