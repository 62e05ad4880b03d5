import { type Luna, type OAuthClientView, oauthClientView } from '@luna/core/control';
import { LunaError } from '@luna/core/errors';
import { Accounts, localAccountId } from '@luna/core/store';
import { z } from 'zod';
import type { AuthorizationServer } from '../auth/oauth/authorization-server.ts';
import { defineRoute, type Route } from './contract.ts';

const base = '/api/supervisor/oauth-clients';

/** The clients that people have let in, for whoever administers Luna. */
export function oauthClientRoutes(luna: Luna, server: AuthorizationServer): Route[] {
  const accounts = new Accounts(luna.store);
  const nameOf = async (id: string) => (await accounts.get(id))?.name ?? (id === localAccountId ? 'admin' : id);
  return [
    defineRoute({
      method: 'get',
      path: base,
      summary: 'Clients that people let in',
      tag: 'clients',
      access: 'admin',
      answer: z.object({ clients: z.array(oauthClientView) }),
      async handle() {
        const clients = (await server.consents()).map(
          async (consent): Promise<OAuthClientView> => ({
            id: consent.grantId,
            clientId: consent.clientId,
            clientName: consent.clientName,
            letInBy: await nameOf(consent.accountId),
            redirectUris: [...consent.redirectUris],
            scope: consent.scope,
            createdAt: consent.createdAt,
          }),
        );
        return { clients: await Promise.all(clients) };
      },
    }),
    defineRoute({
      method: 'delete',
      path: `${base}/{id}`,
      summary: 'End what a client may do',
      description: 'Its tokens are worth nothing at once, its streams are closed.',
      tag: 'clients',
      access: 'admin',
      params: z.object({ id: z.string() }),
      async handle({ params }) {
        if (!(await server.revoke(params.id))) throw new LunaError('not_found', 'There is no such client.');
        return undefined;
      },
    }),
  ];
}
