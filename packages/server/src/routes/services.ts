import { type Luna, serviceView } from '@luna/core/control';
import { z } from 'zod';
import { defineRoute, type Route } from './contract.ts';
import { answerLog, logQuery } from './followed-log.ts';

const tag = 'services';
const params = z.object({ name: z.string() });

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
      query: logQuery,
      media: 'text/plain',
      handle: async ({ params: { name }, query }, ctx) => {
        const log = luna.supervisor.log(name);
        await answerLog(
          {
            tail: (lines) => log.tail(lines),
            follow: (listener) => log.follow(listener),
            redact: (text) => luna.described.redact(text),
          },
          query,
          ctx,
        );
        return undefined;
      },
    }),
  ];
}
