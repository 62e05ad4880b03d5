import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';

/** A complete HTTP answer. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** One POST on the caller's own socket, read to its end. Throws when the connection fails or the answer stays away. */
export function post(socket: Dispatcher, path: string, headers: Record<string, string>, body: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let status = 0;
    let answerHeaders: IncomingHttpHeaders = {};
    socket.dispatch(
      { method: 'POST', path, headers, body },
      {
        // undici refuses a handler that lacks it.
        onRequestStart: () => undefined,
        onResponseStart(_controller, statusCode, received) {
          status = statusCode;
          answerHeaders = received;
        },
        onResponseData(_controller, chunk) {
          chunks.push(chunk);
        },
        onResponseEnd() {
          const whole = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
          resolve({ status, headers: answerHeaders, text: String(whole ?? '') });
        },
        onResponseError(_controller, error) {
          reject(error);
        },
      },
    );
  });
}
