import type { IncomingMessage } from 'node:http';
import type { Consents } from '@luna/core/store';
import { interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider';
import { comparableRedirect } from './comparable-redirect.ts';

export interface PolicyOptions {
  /** The account that is signed in to Luna in the browser of this request. */
  readonly accountOf: (request: IncomingMessage) => string | undefined;
  readonly consents: Consents;
}

/**
 * When a person is shown a page before a client gets in: when nobody is signed in, or somebody else than before, and
 * when they have not agreed yet to this client, to what it asks for, or to where it is sent back to.
 */
export function lunaPolicy({ accountOf, consents }: PolicyOptions): interactionPolicy.DefaultPolicy {
  const { Check } = interactionPolicy;
  const policy = interactionPolicy.base();
  policy
    .get('login')
    ?.checks.add(
      new Check('another_person', 'the person who is signed in must be the one of the session', ({ oidc, req }) =>
        oidc.session?.accountId === accountOf(req) ? Check.NO_NEED_TO_PROMPT : Check.REQUEST_PROMPT,
      ),
    );
  const consent = policy.get('consent');
  // Asks anew each time for clients on this machine; here consent is kept for the address that it was given for.
  consent?.checks.remove('native_client_prompt');
  consent?.checks.add(
    new Check('another_redirect', 'the person must agree to where the client is sent back to', async ({ oidc }) =>
      (await isKnownRedirect(consents, oidc)) ? Check.NO_NEED_TO_PROMPT : Check.REQUEST_PROMPT,
    ),
  );
  return policy;
}

async function isKnownRedirect(consents: Consents, oidc: KoaContextWithOIDC['oidc']): Promise<boolean> {
  const { accountId } = oidc.session ?? {};
  const clientId = oidc.client?.clientId;
  if (accountId === undefined || clientId === undefined) return false;
  const known = await consents.find(accountId, clientId);
  return known?.redirectUris.includes(comparableRedirect(String(oidc.params?.redirect_uri))) === true;
}
