import type { RunningLuna } from './luna-process.ts';

/** A person with a browser: cookies with their paths, redirects within one site, and forms. */
export class PersonInBrowser {
  readonly #place: string;
  readonly #origin: string;
  readonly cookies = new Map<string, string>();
  readonly #cookiePaths = new Map<string, string>();

  /** `place`: where the Luna is that the person uses, perhaps below a path of its host. */
  constructor(place: string) {
    this.#place = place;
    this.#origin = new URL(place).origin;
  }

  /** Signs in by a link that Luna printed, or one that was made since. */
  async signInByLink(luna: RunningLuna, link?: string): Promise<void> {
    const token = new URLSearchParams(new URL(link ?? luna.signInLink).hash.slice(1)).get('token');
    const answer = await this.send('POST', '/auth/once', { token });
    if (answer.status !== 204) throw new Error(`Not signed in: ${answer.status} ${await answer.text()}`);
  }

  /** Opens a page, by its address or its path within Luna, and follows redirects as long as they stay on the site; returns where that ended. */
  async open(address: string | URL): Promise<{ url: URL; response: Response }> {
    let url = this.#addressOf(address);
    for (let hop = 0; hop < 12; hop++) {
      if (url.origin !== this.#origin) return { url, response: new Response() };
      const response = await this.#fetch(url, { redirect: 'manual' });
      const location = response.headers.get('location');
      if (location === null) return { url, response };
      url = new URL(location, url);
    }
    throw new Error('The pages lead in a circle.');
  }

  /** Presses a button of the form on a page; returns where that leads. */
  async press(page: URL, decision: string, origin = this.#origin): Promise<{ url: URL; response: Response }> {
    const response = await this.#fetch(page, {
      method: 'POST',
      redirect: 'manual',
      headers: { origin },
      body: new URLSearchParams({ decision }),
    });
    const location = response.headers.get('location');
    return location === null ? { url: page, response } : this.open(new URL(location, page));
  }

  /** Sends JSON as the pages of the site do, to a path within Luna. */
  send(method: string, path: string, body?: unknown, origin = this.#origin): Promise<Response> {
    return this.#fetch(this.#addressOf(path), {
      method,
      redirect: 'manual',
      headers: { origin, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  }

  #addressOf(address: string | URL): URL {
    return new URL(String(address).startsWith('/') ? this.#place + address : address, this.#place);
  }

  #goesTo(name: string, { pathname }: URL): boolean {
    const path = this.#cookiePaths.get(name) ?? '/';
    return pathname === path || pathname.startsWith(path.endsWith('/') ? path : `${path}/`);
  }

  async #fetch(url: URL, init: RequestInit): Promise<Response> {
    const sent = [...this.cookies].filter(([name]) => this.#goesTo(name, url));
    const cookie = sent.map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = new Headers(init.headers);
    if (cookie !== '') headers.set('cookie', cookie);
    const response = await fetch(url, { ...init, headers });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '' || /expires=Thu, 01 Jan 1970/i.test(line)) this.cookies.delete(name);
      else this.cookies.set(name, value);
      this.#cookiePaths.set(name, /;\s*path=([^;]+)/i.exec(line)?.[1] ?? '/');
    }
    return response;
  }
}
