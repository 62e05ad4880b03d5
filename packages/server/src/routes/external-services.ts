import type { Luna } from '@luna/core/control';
import { LunaError } from '@luna/core/errors';
import {
  availableExternalServiceView,
  externalServiceDetailView,
  externalServiceView,
  serviceRouteSchema,
} from '@luna/core/services';
import type { Context } from 'koa';
import { z } from 'zod';
import { defineRoute, type Route } from './contract.ts';
import { answerLog, logQuery } from './followed-log.ts';

const tag = 'external services';
const root = '/api/external-services';
const params = z.object({ name: z.string() });

/** Databases and the like beside Luna: what can be installed, installing it, and driving what is installed. */
export function externalServiceRoutes(luna: Luna): Route[] {
  const { externalServices: services, externalServiceChanges: changes } = luna;
  const post = { method: 'post', tag, access: 'admin', params } as const;
  const get = { method: 'get', tag, access: 'admin' } as const;
  return [
    defineRoute({
      ...get,
      path: `${root}/available`,
      summary: 'Definitions that can be installed, and why some cannot be read.',
      answer: z.object({ services: z.array(availableExternalServiceView) }),
      handle: async () => ({ services: await services.available() }),
    }),
    defineRoute({
      ...get,
      path: `${root}/installed`,
      summary: 'Services that are installed, or whose install is under way or failed.',
      answer: z.object({ services: z.array(externalServiceView) }),
      handle: async () => ({ services: await services.installed() }),
    }),
    defineRoute({
      ...get,
      path: `${root}/routes`,
      summary: 'Where web interfaces of installed services are.',
      answer: z.object({ routes: z.array(serviceRouteSchema) }),
      handle: () => ({ routes: [...services.routes()] }),
    }),
    defineRoute({
      method: 'post',
      path: `${root}/upload`,
      summary: 'Adds a definition: a service.json, { "service_definition": … }, or a zip file with one.',
      tag,
      access: 'admin',
      answer: externalServiceDetailView,
      status: 201,
      handle: (_input, ctx) =>
        ctx.is('application/zip', 'application/x-zip-compressed', 'application/octet-stream')
          ? services.uploadArchive(ctx.req)
          : services.upload(definitionIn(ctx)),
    }),
    defineRoute({
      ...get,
      path: `${root}/{name}`,
      summary: 'A service, with the form of its settings and the commands that an install would run.',
      params,
      answer: externalServiceDetailView,
      handle: ({ params: { name } }) => services.get(name),
    }),
    defineRoute({
      ...post,
      path: `${root}/{name}/install`,
      summary: 'Begins to install a service. Look at its status, its log or the events for what becomes of it.',
      body: z.object({
        config: z.record(z.string(), z.unknown()).default({}).describe('Values of the form; the rest are defaults.'),
        overwrite_env: z.boolean().default(false).describe('Whether it may replace keys of .env that are not its own.'),
        enabled: z.boolean().optional().describe('Whether Luna keeps it running. Default: true.'),
      }),
      answer: externalServiceDetailView,
      status: 202,
      handle: async ({ params: { name }, body: { config, overwrite_env, enabled } }) =>
        (
          await changes.install(name, {
            config,
            overwriteEnv: overwrite_env,
            ...(enabled !== undefined && { enabled }),
          })
        ).view,
    }),
    defineRoute({
      ...post,
      path: `${root}/{name}/uninstall`,
      summary: 'Takes a service off the machine. Its data stay unless delete_data is set.',
      body: z.object({
        delete_data: z.boolean().default(false),
        force: z.boolean().default(false).describe('Go on where its own command for it fails.'),
      }),
      handle: async ({ params: { name }, body: { delete_data, force } }) => {
        await changes.uninstall(name, { deleteData: delete_data, force });
        return undefined;
      },
    }),
    ...(['start', 'stop', 'restart'] as const).map((verb) =>
      defineRoute({
        ...post,
        path: `${root}/{name}/${verb}`,
        summary: { start: 'Starts', stop: 'Stops', restart: 'Stops and starts' }[verb].concat(' a service, and waits.'),
        answer: externalServiceView,
        handle: ({ params: { name } }) => services[`${verb}Service`](name),
      }),
    ),
    ...([true, false] as const).map((enabled) =>
      defineRoute({
        ...post,
        path: `${root}/{name}/${enabled ? 'enable' : 'disable'}`,
        summary: enabled
          ? 'Keeps a service running: from now on, and whenever Luna starts.'
          : 'Stops a service, and does not start it with Luna.',
        answer: externalServiceDetailView,
        handle: ({ params: { name } }) => changes.setEnabled(name, enabled),
      }),
    ),
    defineRoute({
      ...get,
      path: `${root}/{name}/logs`,
      summary: 'The last lines of the log of a service, and what follows if asked for.',
      params,
      query: logQuery,
      media: 'text/plain',
      handle: async ({ params: { name }, query }, ctx) => {
        const log = await services.log(name);
        await answerLog(
          {
            tail: (lines) => log.tail(lines),
            follow: (listener) => log.follow((_line, stamped) => listener(`${stamped}\n`)),
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

/** The text of an uploaded definition, as it was sent: a mistake is told with its line. */
function definitionIn(ctx: Context): string {
  const { rawBody, body } = ctx.request as { rawBody?: string; body?: unknown };
  if (typeof rawBody !== 'string' || typeof body !== 'object' || body === null)
    throw new LunaError(
      'invalid_input',
      'Send the service.json as JSON, or a zip file with Content-Type application/zip.',
    );
  return 'service_definition' in body ? JSON.stringify(body.service_definition, null, 2) : rawBody;
}
