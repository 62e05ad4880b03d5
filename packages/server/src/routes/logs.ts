import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Luna } from '@luna/core/control';
import { z } from 'zod';
import { logName } from '../log/levels.ts';
import { linesFrom, readLog } from '../log/read-log.ts';
import { defineRoute, type Route } from './contract.ts';
import type { OpenStreams } from './open-streams.ts';

/** An empty line so often keeps proxies from closing a stream on which nothing happens, in milliseconds. */
const heartbeatMs = 15_000;

/** The log of Luna, as text. */
export function logRoutes(luna: Luna, streams: OpenStreams): Route[] {
  const file = join(luna.paths.logs, logName);
  return [
    defineRoute({
      method: 'get',
      path: '/api/supervisor/logs',
      summary: 'The last lines of the log, and those to come',
      description: 'A line of JSON for each entry, oldest first. With `follow`, an empty line is a sign of life.',
      tag: 'operation',
      access: 'admin',
      media: 'text/plain',
      query: z.object({
        source: z
          .string()
          .regex(/^[A-Za-z0-9][\w.:-]{0,99}$/, 'use the name of a source, or "luna", "calls", "http", "hub"')
          .optional()
          .describe('Only lines from here: a source, a hub as `hub:name`, `calls`, `http`, or `luna` itself.'),
        lines: z.coerce.number().int().min(0).max(10_000).default(100).describe('How many of the last lines.'),
        follow: z.stringbool().default(false).describe('Go on with lines to come, until the client goes.'),
      }),
      handle: async ({ query: { source, lines, follow } }, ctx) => {
        const leave = streams.enter();
        const { res } = ctx;
        const gone = new AbortController();
        res.once('close', () => gone.abort());
        const heartbeat = follow ? setInterval(() => res.writableNeedDrain || res.write('\n'), heartbeatMs) : undefined;
        ctx.respond = false;
        res.writeHead(200, {
          'content-type': 'text/plain; charset=utf-8',
          'cache-control': 'no-store',
          'x-accel-buffering': 'no',
        });
        res.flushHeaders();
        const wants = source === undefined ? undefined : linesFrom(source);
        const text = readLog({ file, lines, follow, signal: gone.signal, ...(wants && { wants }) });
        try {
          await pipeline(Readable.from(text), res, { signal: gone.signal });
        } catch {
          // The reader has gone, or the log cannot be read any more: either way its stream ends here.
          res.destroy();
        } finally {
          clearInterval(heartbeat);
          leave();
        }
        return undefined;
      },
    }),
  ];
}
