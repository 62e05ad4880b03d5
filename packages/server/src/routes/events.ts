import type { Luna, LunaEvent } from '@luna/core/control';
import { defineRoute, type Route } from './contract.ts';
import type { OpenStreams } from './open-streams.ts';

/** A comment so often keeps proxies from closing a stream, and shows a reader that has gone. Milliseconds. */
const heartbeatMs = 15_000;
/** A reader that does not read is let go rather than remembered for, in bytes. */
const maxBufferedBytes = 1024 * 1024;

/** Every change as a server-sent event, for the UI and for scripts. */
export function eventRoutes(luna: Luna, streams: OpenStreams): Route[] {
  return [
    defineRoute({
      method: 'get',
      path: '/api/supervisor/events',
      summary: 'Every change as a server-sent event',
      description:
        'Events have no ids: whoever connects anew gets `hello` and asks for the state that it wants to know.',
      tag: 'operation',
      access: 'admin',
      media: 'text/event-stream',
      handle: (_input, ctx) => {
        const leave = streams.enter();
        const { res } = ctx;
        ctx.respond = false;
        res.writeHead(200, {
          'content-type': 'text/event-stream',
          'cache-control': 'no-store',
          'x-accel-buffering': 'no',
        });
        const send = (event: LunaEvent) => {
          res.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
          if (event.type === 'stopping') leaveAndEnd();
          else if (res.writableLength > maxBufferedBytes) res.destroy();
        };
        const unwatch = luna.onEvent(send);
        const leaveAndEnd = () => {
          unwatch();
          clearInterval(heartbeat);
          res.end();
        };
        const heartbeat = setInterval(() => res.write(': alive\n\n'), heartbeatMs);
        send({ type: 'hello', version: luna.version });
        res.once('close', () => {
          clearInterval(heartbeat);
          unwatch();
          leave();
        });
        return undefined;
      },
    }),
  ];
}
