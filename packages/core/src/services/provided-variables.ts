import { createHash } from 'node:crypto';
import type { EnvFile } from '../config/index.ts';
import { LunaError } from '../errors/index.ts';
import type { ServiceDefinition } from './definition-shape.ts';
import { fillIn, type Values } from './placeholders.ts';

/** What a service puts into `.env` for those who use it. */

/** The variables with their values. Those without a text of their own take the field of the same name. */
export function providedVariables(definition: ServiceDefinition, values: Values): Record<string, string> {
  const provided: Record<string, string> = {};
  for (const key of definition.provides_vars) {
    const field = definition.config_form.fields.find(({ name }) => {
      const [upper, service] = [name.toUpperCase(), definition.name.toUpperCase().replace(/[^A-Z0-9]/g, '_')];
      return key.toUpperCase() === upper || key.toUpperCase() === `${service}_${upper}`;
    });
    if (field && Object.hasOwn(values, field.name)) provided[key] = values[field.name] ?? '';
  }
  for (const [key, text] of Object.entries(definition.post_install_env)) provided[key] = fillIn(text, values);
  return provided;
}

/** Throws `conflict` when a key has a value already that this service did not set. */
export async function assertNotTaken(
  env: EnvFile,
  variables: Readonly<Record<string, string>>,
  before: Readonly<Record<string, string>>,
): Promise<void> {
  const present = await env.read();
  const taken = Object.keys(variables).filter(
    (key) => Object.hasOwn(present, key) && present[key] !== variables[key] && !isOurs(key, present[key], before),
  );
  if (taken.length === 0) return;
  throw new LunaError(
    'conflict',
    `.env has ${taken.join(', ')} already, with another value. Remove it there first, or let the install overwrite it (overwrite_env).`,
    { details: { keys: taken } },
  );
}

/** Sets the variables, removes those that are no longer provided, and tells what was set. */
export async function writeVariables(
  env: EnvFile,
  variables: Readonly<Record<string, string>>,
  before: Readonly<Record<string, string>>,
): Promise<Record<string, string>> {
  const present = await env.read();
  const gone = Object.keys(before).filter((key) => !(key in variables) && isOurs(key, present[key], before));
  await env.set({ ...Object.fromEntries(gone.map((key) => [key, undefined])), ...variables });
  return Object.fromEntries(Object.entries(variables).map(([key, value]) => [key, hashOf(value)]));
}

function isOurs(key: string, value: string | undefined, before: Readonly<Record<string, string>>): boolean {
  return value !== undefined && Object.hasOwn(before, key) && before[key] === hashOf(value);
}

/** Enough to recognise a value by, without keeping another copy of it. */
function hashOf(value: string): string {
  return createHash('sha256').update(value).digest('hex');
}
