import Router from '@koa/router';
import type { Luna, OAuthClientView } from '@luna/core/control';
import { LunaError } from '@luna/core/errors';
import { Accounts, localAccountId } from '@luna/core/store';
import type { Middleware } from 'koa';
import type { AuthorizationServer } from '../auth/oauth/authorization-server.ts';

/** The clients that people have let in, for whoever administers Luna. */
export function oauthClientRoutes(luna: Luna, server: AuthorizationServer, guard: Middleware): Router {
  const router = new Router({ prefix: '/api/supervisor/oauth-clients', sensitive: true });
  const accounts = new Accounts(luna.store);
  router.use(guard);

  router.get('/', async (ctx) => {
    const consents = await server.consents();
    const clients = consents.map(
      async ({
        grantId,
        clientId,
        clientName,
        accountId,
        redirectUris: [...redirectUris],
        scope,
        createdAt,
      }): Promise<OAuthClientView> => ({
        id: grantId,
        clientId,
        clientName,
        letInBy: (await accounts.get(accountId))?.name ?? (accountId === localAccountId ? 'admin' : accountId),
        redirectUris: [...redirectUris],
        scope,
        createdAt,
      }),
    );
    ctx.body = { clients: await Promise.all(clients) };
  });

  /** Ends what the client may do: its tokens are worth nothing at once, its streams are closed. */
  router.delete('/:id', async (ctx) => {
    if (!(await server.revoke(ctx.params.id ?? ''))) throw new LunaError('not_found', 'There is no such client.');
    ctx.status = 204;
  });

  return router;
}
