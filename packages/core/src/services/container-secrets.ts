import type { ServiceCommand } from './definition-shape.ts';
import { type FormField, isSecret } from './form.ts';

/**
 * Definitions from before secrets were kept out of arguments say `docker run -e KEY={{secret}}`. Container engines take
 * `-e KEY` too, and the value from their own environment: that is what such a command becomes.
 */
export function withoutSecretArguments(command: ServiceCommand, fields: readonly FormField[]): ServiceCommand {
  const { command: text, env } = command;
  if (typeof text !== 'string' || !/\b(?:docker|podman)\b/.test(text)) return command;
  const secrets = fields.filter(isSecret).map(({ name }) => name);
  const own: Record<string, string> = {};
  const hidden = text.replace(
    /(\s(?:-e|--env)[\s=]+)(["']?)([A-Za-z_]\w*)=(["']?)\{\{\s*(\w+)\s*\}\}\4\2(?=\s|$)/g,
    (all, option: string, _outer: string, key: string, _inner: string, field: string) => {
      const value = `{{${field}}}`;
      // What would change the engine itself, or mean two things, stays as it is.
      if (!secrets.includes(field) || (own[key] ?? value) !== value || /^(?:PATH|HOME|LD_.*|DOCKER_.*)$/.test(key))
        return all;
      own[key] = value;
      return `${option}${key}`;
    },
  );
  return { ...command, command: hidden, env: { ...env, ...own } };
}
