import { platform } from 'node:process';

/** A path as a person can paste it into a shell after `cd`. */
export function shellWord(path: string, system: string = platform): string {
  // What begins with "-" would be taken for an option.
  const word = path.startsWith('-') ? `./${path}` : path;
  if (system === 'win32') return /[\s&()^;,=]/.test(word) ? `"${word}"` : word;
  return /^[\p{L}\p{N}_./@%+:-]+$/u.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
