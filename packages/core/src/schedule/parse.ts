import type { z } from 'zod';
import { LunaError } from '../errors/index.ts';
import type { ScheduleDefinition } from './definition.ts';

/** Reads what came in. Throws `invalid_input` with the field that does not fit. */
export function parsed<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = issue?.path.join('.') ?? '';
  throw new LunaError('invalid_input', `The schedule does not fit: ${path}${path && ': '}${issue?.message ?? ''}`);
}

/** Throws `invalid_input` where two things limit what a schedule may call. */
export function assertOneSelection({ hub, preset, action }: ScheduleDefinition): void {
  if (hub !== undefined && preset !== undefined)
    throw new LunaError('invalid_input', 'The schedule does not fit: give either "hub" or "preset".');
  if (preset !== undefined && action.agent !== undefined)
    throw new LunaError('invalid_input', 'The schedule does not fit: name the preset as the "agent" of the prompt.');
}
