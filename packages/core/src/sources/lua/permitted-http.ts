import { z } from 'zod';

export interface PermittedHttpOptions {
  /** Names of hosts, with a port perhaps; `*.example.com` is all below it. */
  readonly allowedHosts: readonly string[];
  readonly maxResponseBytes: number;
  /** Judges addresses when it dials. */
  readonly fetch: typeof fetch;
}

/** What a script gets for an answer. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const maxRedirects = 5;
const optionsSchema = z.looseObject({
  headers: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
  body: z.union([z.string(), z.record(z.string(), z.unknown()), z.array(z.unknown())]).optional(),
});

/** Requests of a script to the hosts that it may reach. Each step of a redirect is judged like the first. */
export class PermittedHttp {
  readonly #options: PermittedHttpOptions;

  constructor(options: PermittedHttpOptions) {
    this.#options = options;
  }

  async request(method: string, address: string, given: unknown, signal: AbortSignal): Promise<HttpAnswer> {
    const { headers = {}, body } = optionsSchema.parse(given ?? {});
    const isJson = body !== undefined && typeof body !== 'string';
    const sent = new Headers(Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])));
    for (const name of ['host', 'connection', 'transfer-encoding', 'content-length', 'upgrade'])
      if (sent.has(name)) throw new Error(`the header ${name} is not for scripts to set`);
    if (isJson && !sent.has('content-type')) sent.set('content-type', 'application/json');
    let url = this.#judged(address);
    let payload = isJson ? JSON.stringify(body) : body;
    let verb = method.toUpperCase();
    for (let hop = 0; ; hop++) {
      const response = await this.#options.fetch(url, {
        method: verb,
        headers: sent,
        signal,
        redirect: 'manual',
        ...(payload !== undefined && { body: payload }),
      });
      const location = response.headers.get('location');
      if (location === null || ![301, 302, 303, 307, 308].includes(response.status)) return this.#answer(response);
      await response.body?.cancel();
      if (hop === maxRedirects) throw new Error(`${address} redirects more than ${maxRedirects} times`);
      const next = this.#judged(new URL(location, url).href);
      // What was meant for one server is not shown to another, under whatever name it is sent.
      if (next.origin !== url.origin) for (const name of [...sent.keys()]) if (!isHarmless(name)) sent.delete(name);
      if (response.status === 303 || (verb === 'POST' && response.status < 303)) {
        verb = 'GET';
        payload = undefined;
      }
      url = next;
    }
  }

  #judged(address: string): URL {
    if (!URL.canParse(address)) throw new Error(`"${address}" is no address`);
    const url = new URL(address);
    if (!/^https?:$/.test(url.protocol)) throw new Error(`${url.protocol} cannot be asked, only http and https`);
    if (url.username !== '' || url.password !== '') throw new Error('an address holds no name and no password here');
    if (!this.#options.allowedHosts.some((allowed) => matches(allowed.toLowerCase(), url))) {
      throw new Error(
        `this tool may not reach ${url.host}: add it to permissions.network.allowed_hosts in mcp_tool.json`,
      );
    }
    return url;
  }

  async #answer(response: Response): Promise<HttpAnswer> {
    const { maxResponseBytes } = this.#options;
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of response.body ?? []) {
      length += chunk.length;
      if (length > maxResponseBytes) throw new Error(`the answer is longer than ${maxResponseBytes} bytes`);
      chunks.push(chunk);
    }
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: Buffer.concat(chunks).toString('utf8'),
    };
  }
}

function isHarmless(header: string): boolean {
  return /^(accept|content-|user-agent)/.test(header);
}

function matches(allowed: string, { host, hostname }: URL): boolean {
  if (allowed.startsWith('*.')) return hostname.endsWith(allowed.slice(1));
  return allowed === hostname || allowed === host || allowed === hostname.replace(/^\[|\]$/g, '');
}
