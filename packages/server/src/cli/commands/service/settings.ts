import { readFile } from 'node:fs/promises';
import { text as textOf } from 'node:stream/consumers';
import { LunaError, messageOf } from '@luna/core/errors';
import type { ExternalServiceDetailView } from '@luna/core/views';
import { z } from 'zod';

/** Settings of a service as they are given in a terminal. */

export async function readConfig(file: string | undefined): Promise<Record<string, unknown>> {
  if (file === undefined) return {};
  const parsed = z.record(z.string(), z.unknown()).safeParse(parseJson(await readText(file), file));
  if (!parsed.success) throw new LunaError('invalid_input', `${file} must hold a JSON object: { "field": value }.`);
  return parsed.data;
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    throw new LunaError('invalid_input', `${file} is not JSON: ${messageOf(thrown)}`);
  }
}

export async function readText(file: string): Promise<string> {
  try {
    return file === '-' ? await textOf(process.stdin) : await readFile(file, 'utf8');
  } catch (thrown) {
    throw new LunaError('invalid_input', `Cannot read ${file}: ${messageOf(thrown)}`, { cause: thrown });
  }
}

/** `field=value`. Secrets are refused: others on the machine would see them. */
export function parseSettings(
  settings: readonly string[],
  form: ExternalServiceDetailView['form'],
): Record<string, string> {
  return Object.fromEntries(
    settings.map((setting) => {
      const [, name = '', value = ''] = /^([^=]+)=(.*)$/s.exec(setting) ?? [];
      if (name === '') throw new LunaError('invalid_input', `"${setting}" is not of the form field=value.`);
      if (form.some((field) => field.name === name && field.secret))
        throw new LunaError(
          'invalid_input',
          `"${name}" is a secret, which others would see here. Give it in a file: --config FILE, or --config - for the standard input.`,
        );
      return [name, value];
    }),
  );
}
