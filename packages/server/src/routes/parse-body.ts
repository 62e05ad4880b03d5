import { LunaError } from '@luna/core/errors';
import type { Context } from 'koa';
import type { z } from 'zod';

/** The body by a schema. Throws `invalid_input`, naming the first field that does not fit. */
export function parseBody<Schema extends z.ZodType>(ctx: Context, schema: Schema): z.infer<Schema> {
  const parsed = schema.safeParse(ctx.request.body ?? {});
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const path = issue?.path.join('.') ?? '';
  throw new LunaError('invalid_input', `The body does not fit: ${path}${path && ': '}${issue?.message ?? 'not legal'}`);
}
