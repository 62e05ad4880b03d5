import { setTimeout as passed } from 'node:timers/promises';
import { type Dispatcher, request } from 'undici';
import { LunaError, messageOf, systemCodeOf } from '../../errors/index.ts';
import { refusalIn } from '../egress/index.ts';
import type { CallSettings, PlannedRequest } from './http-tool.ts';

/** An answer that was read to its end. */
export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer;
}

const maxRedirects = 5;
const repeatable = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS']);
const passing = new Set([429, 502, 503, 504]);
const firstDelayMs = 200;
/** Who says that one should come back later than this is not waited for, in milliseconds. */
const maxDelayMs = 10_000;

/**
 * Sends a request and reads the answer. One that may be repeated is, when nothing answered or the server was busy; one
 * that may not only when it was never sent. Throws `timeout`, `cancelled`, `too_large`, `source_unavailable`.
 */
export async function exchange(
  planned: PlannedRequest,
  settings: CallSettings,
  { dispatcher, signal }: { dispatcher: Dispatcher; signal: AbortSignal },
): Promise<Answer> {
  const limit = AbortSignal.timeout(settings.timeoutMs);
  const either = AbortSignal.any([signal, limit]);
  for (let attempt = 0; ; attempt++) {
    const outcome = await tryOnce(planned, settings, dispatcher, either);
    const isLast = attempt >= settings.retries;
    if ('answer' in outcome) {
      const delayMs = passing.has(outcome.answer.status) ? delayOf(attempt, outcome.retryAfter) : undefined;
      if (isLast || delayMs === undefined || !repeatable.has(planned.method)) return outcome.answer;
      if (!(await waited(delayMs, either))) return outcome.answer;
      continue;
    }
    const { error, isSent } = outcome;
    if (limit.aborted && !signal.aborted) {
      throw new LunaError('timeout', `${planned.url.host} did not answer within ${settings.timeoutMs / 1000} seconds.`);
    }
    if (signal.aborted) throw new LunaError('cancelled', 'The call was cancelled.', { cause: error });
    if (error instanceof LunaError) throw error;
    const mayRepeat = !isSent || repeatable.has(planned.method);
    if (isLast || !mayRepeat || !(await waited(delayOf(attempt, undefined) ?? 0, either))) {
      const doubt = isSent ? ' Whether the call took effect is not known.' : '';
      throw new LunaError('source_unavailable', `${planned.url.host} cannot be reached: ${messageOf(error)}.${doubt}`, {
        cause: error,
        details: { outcome: isSent ? 'unknown' : 'failed' },
      });
    }
  }
}

type Outcome =
  | { readonly answer: Answer; readonly retryAfter: string | undefined }
  | { readonly error: unknown; readonly isSent: boolean };

async function tryOnce(
  planned: PlannedRequest,
  { maxResponseBytes }: CallSettings,
  dispatcher: Dispatcher,
  signal: AbortSignal,
): Promise<Outcome> {
  let hasRedirected = false;
  try {
    let { url, method, body } = planned;
    let headers = { ...planned.headers };
    for (let hop = 0; ; hop++) {
      const response = await request(url, {
        method: method as Dispatcher.HttpMethod,
        headers,
        body,
        dispatcher,
        signal,
      });
      const location = headerOf(response.headers.location);
      const isRedirect = [301, 302, 303, 307, 308].includes(response.statusCode) && location !== undefined;
      if (!isRedirect || hop === maxRedirects) {
        const content = await readBody(response.body, maxResponseBytes, url.host);
        const contentType = headerOf(response.headers['content-type']) ?? '';
        const answer = { status: response.statusCode, contentType, body: content };
        return { answer, retryAfter: headerOf(response.headers['retry-after']) };
      }
      await response.body.dump();
      hasRedirected = true;
      const next = new URL(location, url);
      // What was meant for one server is not shown to another.
      if (next.origin !== url.origin) headers = withoutCredentials(headers);
      if (response.statusCode === 303 || (method === 'POST' && response.statusCode < 303)) {
        method = 'GET';
        body = undefined;
        const { 'content-type': _type, ...rest } = headers;
        headers = rest;
      }
      url = next;
    }
  } catch (thrown) {
    const refusal = thrown instanceof LunaError ? thrown : refusalIn(thrown);
    if (refusal) return { error: refusal, isSent: false };
    if (systemCodeOf(thrown) === 'UND_ERR_INVALID_ARG' && !hasRedirected) {
      const error = new LunaError('invalid_input', `This cannot be sent: ${messageOf(thrown)}.`, { cause: thrown });
      return { error, isSent: false };
    }
    const isSent = ![
      'ECONNREFUSED',
      'ENOTFOUND',
      'EAI_AGAIN',
      'EHOSTUNREACH',
      'ENETUNREACH',
      'UND_ERR_CONNECT_TIMEOUT',
    ].includes(systemCodeOf(thrown) ?? '');
    return { error: thrown, isSent };
  }
}

async function readBody(body: Dispatcher.ResponseData['body'], maxBytes: number, host: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > maxBytes) {
      body.destroy();
      throw new LunaError('too_large', `The answer of ${host} is longer than ${maxBytes} bytes.`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Undefined where the server wants more patience than a call has. */
function delayOf(attempt: number, retryAfter: string | undefined): number | undefined {
  if (retryAfter === undefined) return firstDelayMs * 2 ** attempt * (0.75 + Math.random() / 2);
  const seconds = Number(retryAfter);
  const delayMs = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(retryAfter) - Date.now();
  return Number.isFinite(delayMs) && delayMs <= maxDelayMs ? Math.max(0, delayMs) : undefined;
}

async function waited(delayMs: number, signal: AbortSignal): Promise<boolean> {
  return passed(delayMs, true, { signal }).catch(() => false);
}

function withoutCredentials(headers: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(headers).filter(([name]) => /^(accept|content-|user-agent)/.test(name));
  return Object.fromEntries(entries);
}

function headerOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
