import { PassThrough } from 'node:stream';
import { type Luna, serviceView } from '@luna/core/control';
import { z } from 'zod';
import { defineRoute, type Route } from './contract.ts';

const tag = 'services';
const params = z.object({ name: z.string() });
/** A reader that does not read is let go, in bytes. */
const maxBufferedBytes = 4 * 1024 * 1024;

/** The programs of extensions that Luna keeps running: list, start, stop, restart, logs. */
export function serviceRoutes(luna: Luna): Route[] {
  const one = async (name: string) => {
    const found = (await luna.services.describe()).find((service) => service.name === name);
    // Throws for one that is not there.
    if (!found) await luna.supervisor.start(name);
    return found;
  };
  const change = (verb: 'start' | 'stop' | 'restart', summary: string) =>
    defineRoute({
      method: 'post',
      path: `/api/supervisor/services/{name}/${verb}`,
      summary,
      tag,
      access: 'admin',
      params,
      answer: serviceView,
      handle: async ({ params: { name } }) => {
        await luna.supervisor[verb](name);
        return one(name);
      },
    });
  return [
    defineRoute({
      method: 'get',
      path: '/api/supervisor/services',
      summary: 'All programs that Luna keeps running, with what they use.',
      tag,
      access: 'admin',
      answer: z.object({ services: z.array(serviceView) }),
      handle: async () => ({ services: await luna.services.describe() }),
    }),
    change('start', 'Starts a service that was stopped or has failed.'),
    change('stop', 'Stops a service until it is started, or Luna is.'),
    change('restart', 'Stops a service and starts it.'),
    defineRoute({
      method: 'get',
      path: '/api/supervisor/services/{name}/logs',
      summary: 'The last lines that a service printed, and what follows if asked for.',
      tag,
      access: 'admin',
      params,
      query: z.object({
        lines: z.coerce.number().int().min(0).max(10_000).default(100),
        follow: z.stringbool().default(false),
      }),
      media: 'text/plain',
      handle: async ({ params: { name }, query: { lines, follow } }, ctx) => {
        const log = luna.supervisor.log(name);
        const tail = await log.tail(lines);
        ctx.type = 'text/plain; charset=utf-8';
        ctx.set({ 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' });
        const text = luna.described.redact(tail.map((line) => `${line}\n`).join(''));
        if (!follow) {
          ctx.body = text;
          return;
        }
        const body = new PassThrough();
        body.write(text);
        const unfollow = log.follow((more) => {
          body.write(luna.described.redact(more));
          if (body.writableLength > maxBufferedBytes) body.destroy();
        });
        body.once('close', unfollow);
        ctx.req.once('close', () => body.destroy());
        ctx.body = body;
      },
    }),
  ];
}
