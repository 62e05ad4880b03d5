import { randomBytes } from 'node:crypto';
import type {
  OAuthClientMetadata,
  OAuthClientProvider,
  OAuthDiscoveryState,
  StoredOAuthClientInformation,
  StoredOAuthTokens,
} from '@modelcontextprotocol/client';
import { LunaError } from '../../../errors/index.ts';
import type { UpstreamClient, UpstreamDiscovery, UpstreamTokens } from './record.ts';

/** What one leg of an authorization begins with, and collects. */
export interface FlowDraft {
  readonly redirectUrl: string;
  /** How Luna shows at the token endpoint who it is, where it registers itself. */
  readonly authMethod: string;
  client?: UpstreamClient;
  discovery?: UpstreamDiscovery;
  codeVerifier?: string;
  state?: string;
  tokens?: UpstreamTokens;
  /** Where the person has to go. */
  authorizationUrl?: URL;
}

/** The SDK's view of one authorization in the browser. It keeps everything in the draft; nothing is stored here. */
export class FlowProvider implements OAuthClientProvider {
  readonly #draft: FlowDraft;

  constructor(draft: FlowDraft) {
    this.#draft = draft;
  }

  get redirectUrl(): string {
    return this.#draft.redirectUrl;
  }

  get clientMetadata(): OAuthClientMetadata {
    return {
      client_name: 'Luna',
      redirect_uris: [this.#draft.redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: this.#draft.authMethod,
    };
  }

  state(): string {
    this.#draft.state ??= randomBytes(32).toString('base64url');
    return this.#draft.state;
  }

  clientInformation(): StoredOAuthClientInformation | undefined {
    return this.#draft.client as StoredOAuthClientInformation | undefined;
  }

  saveClientInformation(client: StoredOAuthClientInformation): void {
    this.#draft.client = { ...client };
  }

  /** Nothing is stored here that would have to go; the error says what is wrong. */
  invalidateCredentials(): void {
    // See above.
  }

  tokens(): StoredOAuthTokens | undefined {
    return undefined;
  }

  saveTokens(tokens: StoredOAuthTokens): void {
    this.#draft.tokens = { ...tokens };
  }

  redirectToAuthorization(url: URL): void {
    this.#draft.authorizationUrl = url;
  }

  saveCodeVerifier(codeVerifier: string): void {
    this.#draft.codeVerifier = codeVerifier;
  }

  codeVerifier(): string {
    if (this.#draft.codeVerifier === undefined) throw new LunaError('internal', 'There is no PKCE verifier.');
    return this.#draft.codeVerifier;
  }

  saveDiscoveryState(discovery: OAuthDiscoveryState): void {
    this.#draft.discovery = structuredClone(discovery) as UpstreamDiscovery;
  }

  discoveryState(): OAuthDiscoveryState | undefined {
    return this.#draft.discovery as OAuthDiscoveryState | undefined;
  }
}
