import type { Dispatcher } from 'undici';
import { toLunaError } from '../../../errors/index.ts';
import { notSent } from '../../egress/index.ts';
import type { UpstreamAuthorization } from './authorization.ts';
import { type Refusal, refusalOf } from './refusal.ts';

/**
 * The two ways of Luna's requests to a server, each with the server's access token. A refusal renews the token and
 * sends the request once more; the server did nothing with it the first time.
 */

/** `fetch` with the token for requests to the server's own origin, and for no other. */
export function authorizedFetch(base: typeof fetch, server: URL, authorization: UpstreamAuthorization): typeof fetch {
  return async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    if (url.origin !== server.origin) return base(input, init);
    const send = async (token: string | undefined) => {
      const headers = new Headers(init?.headers);
      if (token !== undefined) headers.set('authorization', `Bearer ${token}`);
      const response = await base(input, { ...init, headers });
      const refusal = refusalOf(response.status, response.headers.get('www-authenticate') ?? undefined);
      if (refusal) await response.body?.cancel();
      if (refusal?.wants === 'rights') throw authorization.tooWeak(refusal);
      return { response, refusal };
    };
    const token = await authorization.token();
    const first = await send(token);
    if (!first.refusal) return first.response;
    const second = await send(await authorization.renew(token, first.refusal));
    if (second.refusal) throw authorization.needed();
    return second.response;
  };
}

/** The same for requests on undici's dispatchers. Their bodies must be text or bytes: they may be sent twice. */
export function authorizedDispatch(authorization: UpstreamAuthorization): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) => {
    const token = authorization.peek();
    const request = new AuthorizedRequest(authorization, dispatch, options, handler);
    // Nearly always it is known what to send, and the request goes out at once.
    if (token !== undefined || authorization.isUnused) request.send(token);
    else
      authorization.token().then(
        (given) => request.send(given),
        (thrown) => handler.onResponseError?.(notSent, toLunaError(thrown)),
      );
    return true;
  };
}

type Headers_ = Record<string, string | string[] | undefined>;

/** One request: hands its answer on, except for a refusal. */
class AuthorizedRequest implements Dispatcher.DispatchHandler {
  readonly #authorization: UpstreamAuthorization;
  readonly #dispatch: Dispatcher['dispatch'];
  readonly #options: Dispatcher.DispatchOptions;
  readonly #handler: Dispatcher.DispatchHandler;
  #token: string | undefined;
  #isSecond = false;
  #refusal: Refusal | undefined;

  constructor(
    authorization: UpstreamAuthorization,
    dispatch: Dispatcher['dispatch'],
    options: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
  ) {
    this.#authorization = authorization;
    this.#dispatch = dispatch;
    this.#options = options;
    this.#handler = handler;
  }

  send(token: string | undefined): void {
    this.#token = token;
    const dispatch = this.#dispatch;
    if (token === undefined) return void dispatch(this.#options, this);
    const headers = { ...(this.#options.headers as Record<string, string>), authorization: `Bearer ${token}` };
    dispatch({ ...this.#options, headers }, this);
  }

  onRequestStart(controller: Dispatcher.DispatchController, context: unknown): void {
    this.#handler.onRequestStart?.(controller, context);
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: Headers_, text?: string): void {
    const challenge = headers['www-authenticate'];
    this.#refusal = refusalOf(status, Array.isArray(challenge) ? challenge.join(', ') : challenge);
    if (!this.#refusal) this.#handler.onResponseStart?.(controller, status, headers, text);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#refusal) this.#handler.onResponseData?.(controller, chunk);
  }

  onResponseEnd(controller: Dispatcher.DispatchController, trailers: Headers_): void {
    if (this.#refusal) this.#refused(this.#refusal, controller);
    else this.#handler.onResponseEnd?.(controller, trailers);
  }

  onResponseError(controller: Dispatcher.DispatchController, error: Error): void {
    this.#handler.onResponseError?.(controller, error);
  }

  #refused(refusal: Refusal, controller: Dispatcher.DispatchController): void {
    const fail = (thrown: unknown) => this.#handler.onResponseError?.(controller, toLunaError(thrown));
    if (this.#isSecond) return fail(this.#authorization.needed());
    if (refusal.wants === 'rights') return fail(this.#authorization.tooWeak(refusal));
    this.#isSecond = true;
    this.#authorization
      .renew(this.#token, refusal)
      .then((renewed) => this.send(renewed))
      .catch(fail);
  }
}
