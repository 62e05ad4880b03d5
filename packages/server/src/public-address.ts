import type { MasterConfig } from '@luna/core/config';

export interface PublicAddressOptions {
  readonly config: () => Pick<MasterConfig, 'deployment_mode' | 'public_domain'>;
  /** What the environment says instead of the configuration. */
  readonly told?: {
    readonly publicUrl?: string | undefined;
    readonly deploymentMode?: MasterConfig['deployment_mode'] | undefined;
    readonly publicDomain?: string | undefined;
  };
}

/** Where people and clients reach this Luna. All absolute addresses follow it: links, OAuth, what clients are given. */
export class PublicAddress {
  readonly #options: PublicAddressOptions;
  /** Where it listens. Known when the port is. */
  local = 'http://127.0.0.1';

  constructor(options: PublicAddressOptions) {
    this.#options = options;
  }

  /** Without a slash at the end. */
  get url(): string {
    const { told = {}, config } = this.#options;
    if (told.publicUrl !== undefined) return told.publicUrl.replace(/\/+$/, '');
    const { deployment_mode, public_domain } = config();
    const mode = told.deploymentMode ?? deployment_mode;
    const domain = told.publicDomain ?? public_domain;
    // The other modes have a proxy in front, which ends TLS.
    return mode === 'local' || domain === '' ? this.local : `https://${domain}`;
  }

  /** The host of {@link url}, with its port. */
  get host(): string {
    return new URL(this.url).host;
  }

  /** The same place by all names that lead to it: the public one first, then those of this very machine. */
  origins(): string[] {
    const { port, hostname, protocol } = new URL(this.local);
    const names = isThisMachine(hostname) ? ['localhost', '127.0.0.1', '[::1]'] : [hostname];
    return [...new Set([this.url, ...names.map((name) => `${protocol}//${name}${port && `:${port}`}`)])];
  }
}

function isThisMachine(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\./.test(hostname);
}
