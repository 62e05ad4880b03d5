import { LunaError } from '../errors/index.ts';
import { type MasterConfig, masterConfigSchema } from './schema.ts';

/** Reads a whole configuration that comes as a value. Throws `invalid_input` with the path of what does not fit. */
export function parseMasterConfig(document: unknown): MasterConfig {
  const parsed = masterConfigSchema.safeParse(document);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new LunaError(
    'invalid_input',
    `The configuration does not fit: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`,
  );
}
