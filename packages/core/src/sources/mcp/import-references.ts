import { homedir } from 'node:os';
import { sep } from 'node:path';
import { z } from 'zod';

/** The questions of a VS Code document: `${input:id}` stands for the answer. */
export const inputsSchema = z
  .array(z.looseObject({ id: z.string(), default: z.string().optional() }))
  .optional()
  .catch(undefined);

/** Turns the references of other clients into Luna's own, `${NAME}` and `${NAME:-default}`. */
export type Translate = (text: string) => string;

export function translator(inputs: z.infer<typeof inputsSchema>): Translate {
  const defaults = new Map(inputs?.map(({ id, default: value }) => [id, value]));
  return (text) =>
    text
      .replace(/\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}/g, '${$1}')
      .replace(/\$\{input:([^}]+)\}/g, (_match, id: string) => {
        const value = defaults.get(id);
        return value === undefined || value.includes('}') ? `\${${keyOf(id)}}` : `\${${keyOf(id)}:-${value}}`;
      })
      .replaceAll('${userHome}', () => homedir())
      .replaceAll('${pathSeparator}', () => sep)
      .replaceAll('${/}', () => sep);
}

/** The environment keys without which these texts cannot be read: those that are referred to without a default. */
export function neededKeys(texts: Iterable<string>): string[] {
  const keys = [...texts].flatMap((text) =>
    [...text.matchAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g)].map(([, key]) => key),
  );
  return [...new Set(keys.filter((key) => key !== undefined))];
}

/**
 * Whether a text asks for what opens Luna itself. A document that somebody else wrote could carry it off to the
 * server that it names.
 */
export function asksForKeysOfLuna(texts: Iterable<string>): boolean {
  return [...texts].some((text) => /\$\{(?:LUNA_|SUPERVISOR_|MCP_SERVER_)/.test(text));
}

/** The environment key for an input: `github-token` becomes `GITHUB_TOKEN`. */
function keyOf(input: string): string {
  const key = input.toUpperCase().replace(/[^A-Z0-9]+/g, '_');
  return /^[A-Z_]/.test(key) ? key : `_${key}`;
}
