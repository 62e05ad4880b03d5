import { LunaError } from '../errors/index.ts';

/**
 * Replaces each `${NAME}` by the value of that key; `${NAME:-default}` has a value for when it is not set. Throws `invalid_input`, naming the key, when it is not set.
 * `where` says in the message what needs it.
 */
export function resolveReferences(text: string, values: Readonly<Record<string, string>>, where: string): string {
  return text.replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g, (_match, key: string, otherwise?: string) => {
    const value = (Object.hasOwn(values, key) ? values[key] : undefined) ?? otherwise;
    if (value === undefined) {
      throw new LunaError(
        'invalid_input',
        `${where} needs the environment key ${key}. Set it in the .env file of the home.`,
        {
          details: { key },
        },
      );
    }
    return value;
  });
}
