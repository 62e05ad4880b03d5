import { masterConfigJsonSchema, masterConfigSchema } from '@luna/core/config';
import { appliedConfigView, exportedConfigView, type Luna } from '@luna/core/control';
import { LunaError } from '@luna/core/errors';
import { z } from 'zod';
import { defineRoute, type Route } from './contract.ts';

const base = '/api/supervisor/config';

/** master_config.json as a whole, and its schema. */
export function configRoutes(luna: Luna): Route[] {
  const common = { tag: 'configuration', access: 'admin' } as const;
  return [
    defineRoute({
      ...common,
      method: 'get',
      path: `${base}/master`,
      summary: 'The whole configuration with defaults',
      description: 'Keys of hubs included. `ETag` names this state of the file.',
      answer: masterConfigSchema,
      handle(_input, ctx) {
        ctx.set('ETag', luna.config.state.etag);
        return luna.config.config;
      },
    }),
    defineRoute({
      ...common,
      method: 'put',
      path: `${base}/master`,
      summary: 'Replace the whole configuration',
      description:
        'With `If-Match: <ETag>` it is refused with 412 when somebody changed the file meanwhile; `details.differences` then names where the two differ. The answer comes when the change is on the disk and in force.',
      body: masterConfigSchema,
      answer: masterConfigSchema,
      async handle({ body }, ctx) {
        // A body of another type is not read, and would else count as a configuration of nothing but defaults.
        if (!ctx.is('json')) throw new LunaError('invalid_input', 'Send the configuration as application/json.');
        const ifMatch = ctx.get('if-match');
        const config = await luna.admin.replaceConfig(body, ifMatch === '' || ifMatch === '*' ? undefined : ifMatch);
        ctx.set('ETag', luna.config.state.etag);
        return config;
      },
    }),
    defineRoute({
      ...common,
      method: 'get',
      path: `${base}/export`,
      summary: 'The configuration as a file without secrets',
      description: 'References stand in their place. Comments, order and form are those of master_config.json.',
      answer: exportedConfigView,
      handle: () => luna.configurationFile.export(),
    }),
    defineRoute({
      ...common,
      method: 'post',
      path: `${base}/apply`,
      summary: 'Make the configuration be what such a file says',
      description: 'With `dry_run` only the differences are told. `If-Match` is looked at as for PUT.',
      body: z.object({ text: z.string().max(4_194_304), dry_run: z.boolean().optional() }),
      answer: appliedConfigView,
      handle({ body: { text, dry_run } }, ctx) {
        const ifMatch = ctx.get('if-match');
        return luna.configurationFile.apply(text, {
          dryRun: dry_run,
          ...(ifMatch !== '' && ifMatch !== '*' && { ifMatch }),
        });
      },
    }),
    defineRoute({
      ...common,
      method: 'get',
      path: `${base}/schema`,
      summary: 'The JSON Schema of master_config.json',
      answer: z.record(z.string(), z.unknown()),
      handle: () => masterConfigJsonSchema(),
    }),
  ];
}
