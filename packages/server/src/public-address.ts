import type { IncomingMessage } from 'node:http';
import { type MasterConfig, publicPathOf, tidyPublicUrl } from '@luna/core/config';
import { pathWithin } from './path-within.ts';

export interface PublicAddressOptions {
  readonly config: () => Pick<MasterConfig, 'deployment_mode' | 'public_domain'>;
  /** What the environment says instead of the configuration. */
  readonly told?: {
    readonly publicUrl?: string | undefined;
    readonly deploymentMode?: MasterConfig['deployment_mode'] | undefined;
    readonly publicDomain?: string | undefined;
  };
}

interface Place {
  readonly url: string;
  readonly host: string;
  readonly basePath: string;
}

/** Where people and clients reach this Luna. All absolute addresses follow it: links, OAuth, what clients are given. */
export class PublicAddress {
  readonly #options: PublicAddressOptions;
  /** The present place by the text that says it: it is asked for with each request. */
  #place: { text: string; place: Place } | undefined;
  readonly #entered = new WeakSet<IncomingMessage>();
  readonly #cameByBase = new WeakSet<IncomingMessage>();
  /** Where it listens. Known when the port is. */
  local = 'http://127.0.0.1';

  constructor(options: PublicAddressOptions) {
    this.#options = options;
  }

  /** Without a slash at the end. */
  get url(): string {
    return this.#now().url;
  }

  /** The host of {@link url}, with its port. */
  get host(): string {
    return this.#now().host;
  }

  /** The path of {@link url}: `/luna` where a proxy serves Luna below that, empty where Luna has the whole host. */
  get basePath(): string {
    return this.#now().basePath;
  }

  /**
   * Takes the base path off the target of a request, once, so that all that follows sees the same path: whether the
   * proxy in front keeps the base or takes it off itself, and for who asks this machine without it.
   */
  enter(request: IncomingMessage): void {
    const { basePath } = this;
    if (basePath === '' || this.#entered.has(request)) return;
    this.#entered.add(request);
    const path = pathWithin(request.url ?? '', basePath);
    if (path === undefined) return;
    this.#cameByBase.add(request);
    request.url = path;
  }

  /** The same place by all names that lead to it: the public one first, then those of this very machine. */
  places(): string[] {
    const { port, hostname, protocol } = new URL(this.local);
    const names = isThisMachine(hostname) ? ['localhost', '127.0.0.1', '[::1]'] : [hostname];
    const local = names.map((name) => `${protocol}//${name}${port && `:${port}`}`);
    return [...new Set([this.url, ...local, ...local.map((origin) => origin + this.basePath)])];
  }

  /** That of {@link places} by which a request came; the public one for any other. */
  placeOf(request: IncomingMessage): string {
    const here = this.places().filter((place) => new URL(place).host === request.headers.host);
    const base = this.#cameByBase.has(request) ? this.basePath : '';
    return here.find((place) => publicPathOf(place) === base) ?? here[0] ?? this.url;
  }

  #now(): Place {
    const text = this.#text();
    if (this.#place?.text !== text) {
      const url = tidyPublicUrl(text);
      const host = URL.canParse(url) ? new URL(url).host : '';
      this.#place = { text, place: { url, host, basePath: publicPathOf(url) } };
    }
    return this.#place.place;
  }

  #text(): string {
    const { told = {}, config } = this.#options;
    if (told.publicUrl !== undefined) return told.publicUrl;
    const { deployment_mode, public_domain } = config();
    const mode = told.deploymentMode ?? deployment_mode;
    const domain = told.publicDomain ?? public_domain;
    // The other modes have a proxy in front, which ends TLS.
    return mode === 'local' || domain === '' ? this.local : `https://${domain}`;
  }
}

function isThisMachine(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\./.test(hostname);
}
