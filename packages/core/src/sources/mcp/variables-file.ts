import { readFile } from 'node:fs/promises';
import { parseEnv } from 'node:util';
import { withoutMark } from '../../config/index.ts';
import { LunaError, messageOf } from '../../errors/index.ts';

/** The variables of a file in the form of `.env`. Throws `invalid_input`, naming server and file, when there is none. */
export async function readVariables(file: string, server: string): Promise<Record<string, string>> {
  try {
    const variables = Object.entries(parseEnv(withoutMark(await readFile(file, 'utf8'))));
    return Object.fromEntries(variables.flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])));
  } catch (thrown) {
    throw new LunaError(
      'invalid_input',
      `Cannot read ${file}, which the server "${server}" names as "env_file": ${messageOf(thrown)}`,
      { cause: thrown },
    );
  }
}
