import type { IncomingMessage, ServerResponse } from 'node:http';
import { LunaError } from '@luna/core/errors';
import { Consents, OAuthRecords, type Store } from '@luna/core/store';
import type { Grant } from 'oidc-provider';
import type { AuthorizationServer } from './authorization-server.ts';
import { comparableRedirect } from './comparable-redirect.ts';
import { toolScope } from './names.ts';

/** What a client asks for, as a person should see it. */
export interface ClientRequest {
  readonly clientId: string;
  readonly clientName: string;
  readonly clientUri: string | undefined;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  readonly resources: readonly string[];
}

/** The decision of a person about a client that waits for it in the browser. */
export class ClientConsent {
  readonly #server: AuthorizationServer;
  readonly #consents: Consents;
  readonly #records: OAuthRecords;

  constructor(server: AuthorizationServer, store: Store) {
    this.#server = server;
    this.#consents = new Consents(store);
    this.#records = new OAuthRecords(store);
  }

  /** What waits in this browser. Throws `not_found` when nothing does. */
  async pending(request: IncomingMessage, response: ServerResponse): Promise<ClientRequest> {
    const provider = await this.#server.provider();
    try {
      const { params } = await provider.interactionDetails(request, response);
      const clientId = String(params.client_id);
      const client = await provider.Client.find(clientId);
      if (!client) throw new LunaError('not_found', 'The program that asks is not known any more. Begin again there.');
      const asked = String(params.scope ?? toolScope).split(' ');
      const resources = [params.resource ?? this.#server.resources()[0]].flat().map(String);
      return {
        clientId,
        clientName: client.clientName ?? clientId,
        clientUri: client.clientUri,
        redirectUri: String(params.redirect_uri),
        scopes: [...new Set(asked)].filter((scope) => [toolScope, 'offline_access', 'openid'].includes(scope)),
        resources,
      };
    } catch (thrown) {
      const { errors } = await import('oidc-provider');
      if (!(thrown instanceof errors.SessionNotFound)) throw thrown;
      throw new LunaError('not_found', 'Nothing waits for your decision here. Begin again in the program.', {
        cause: thrown,
      });
    }
  }

  /** Whether this person has let this client in before, for all that it asks now and back to the same place. */
  async isKnown(accountId: string, asked: ClientRequest): Promise<boolean> {
    const known = await this.#consents.find(accountId, asked.clientId);
    if (!known?.redirectUris.includes(comparableRedirect(asked.redirectUri))) return false;
    const scopes = known.scope.split(' ');
    return asked.scopes.every((scope) => scopes.includes(scope));
  }

  /** Lets the client in; returns where the browser goes on. */
  async allow(request: IncomingMessage, response: ServerResponse, accountId: string): Promise<string> {
    const asked = await this.pending(request, response);
    const provider = await this.#server.provider();
    const known = await this.#consents.find(accountId, asked.clientId);
    const former = known && (await provider.Grant.find(known.grantId));
    const grant: Grant = former ?? new provider.Grant({ accountId, clientId: asked.clientId });
    grant.addOIDCScope(asked.scopes.join(' '));
    for (const resource of asked.resources) grant.addResourceScope(resource, toolScope);
    const grantId = await grant.save();
    const redirect = comparableRedirect(asked.redirectUri);
    await this.#consents.put({
      accountId,
      clientId: asked.clientId,
      clientName: asked.clientName,
      grantId,
      redirectUris: [...new Set([...(known?.redirectUris ?? []), redirect])],
      scope: [...new Set([...(known?.scope.split(' ') ?? []), ...asked.scopes])].join(' '),
    });
    await this.#records.keep('Client', asked.clientId);
    return provider.interactionResult(request, response, {
      login: { accountId, remember: true },
      consent: { grantId },
    });
  }

  /** Sends the client away; returns where the browser goes on. */
  async deny(request: IncomingMessage, response: ServerResponse): Promise<string> {
    const provider = await this.#server.provider();
    return provider.interactionResult(request, response, {
      error: 'access_denied',
      error_description: 'The person refused.',
    });
  }
}
