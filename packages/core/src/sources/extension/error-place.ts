import { readdirSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join, sep } from 'node:path';
import { messageOf } from '../../errors/index.ts';

/**
 * An error from importing a file of an extension as `file:line: message`. Only places within the extension's folder
 * count: where Luna or Node noticed the error is of no use to who wrote the file.
 */
export function describeImportError(thrown: unknown, file: string, folder: string): string {
  const message = messageOf(thrown);
  const stack = thrown instanceof Error ? (thrown.stack ?? '') : '';
  // A stack begins with the place of a syntax error where Node tells it; other errors have it in their frames.
  const places = [...stack.matchAll(/^(\/[^\n]+?):(\d+)$|file:\/\/(\/\S+?):(\d+)(?::\d+\)?)?$/gm)];
  for (const [, plain, plainLine, encoded, encodedLine] of places) {
    const path = plain ?? decodeURIComponent(encoded ?? '');
    if (path.startsWith(folder + sep)) return `${path}:${plainLine ?? encodedLine}: ${message}`;
  }
  if (thrown instanceof SyntaxError) {
    const found = findSyntaxError(folder);
    if (found) return found;
  }
  return `${file}: ${message}`;
}

/** For a syntax error in JavaScript Node does not tell the place; its parser for TypeScript does. */
function findSyntaxError(folder: string): string | undefined {
  for (const file of scriptsBelow(folder)) {
    try {
      stripTypeScriptTypes(readFileSync(file, 'utf8'));
    } catch (thrown) {
      const line = /^[^\n]*:(\d+)\n/.exec(thrown instanceof Error ? (thrown.stack ?? '') : '')?.[1];
      return `${file}${line === undefined ? '' : `:${line}`}: ${messageOf(thrown)}`;
    }
  }
  return undefined;
}

function scriptsBelow(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return entries
    .filter(
      (path) => /\.m?js$/.test(path) && !path.split(sep).some((part) => part === 'node_modules' || part === 'data'),
    )
    .map((path) => join(folder, path));
}
