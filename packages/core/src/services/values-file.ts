import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileDurably } from '../config/index.ts';
import { LunaError, systemCodeOf } from '../errors/index.ts';
import type { ServiceDefinition } from './definition-shape.ts';
import type { FormValues } from './form.ts';

/** `config.json` of a service: what was filled into its form, secrets too. */
export async function readValues(folder: string): Promise<FormValues> {
  const file = join(folder, 'config.json');
  try {
    const values: unknown = JSON.parse(await readFile(file, 'utf8'));
    return typeof values === 'object' && values !== null && !Array.isArray(values) ? { ...values } : {};
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'ENOENT') return {};
    throw new LunaError('config_invalid', `${file} cannot be read. Install the service again.`, { cause: thrown });
  }
}

/** Only its owner may read the file. */
export async function writeValues(file: string, values: FormValues): Promise<void> {
  await writeFileDurably(file, `${JSON.stringify(values, null, 2)}\n`, 0o600);
}

/** Values of an earlier install, without those of fields that the definition has no more. */
export async function valuesThatFit(folder: string, { config_form }: ServiceDefinition): Promise<FormValues> {
  // A file that cannot be read is written anew by the install.
  const values = await readValues(folder).catch((): FormValues => ({}));
  const names = config_form.fields.map((field) => field.name);
  return Object.fromEntries(Object.entries(values).filter(([key]) => names.includes(key)));
}
