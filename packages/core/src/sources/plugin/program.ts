import { access, constants, readdir, readFile, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { z } from 'zod';
import { withoutMark } from '../../config/index.ts';
import { LunaError, messageOf, systemCodeOf } from '../../errors/index.ts';
import { interpreterOf } from '../../supervisor/index.ts';

const settings = z
  .object({
    secrets: z.array(z.string()).default([]).describe('Environment keys that it gets, and cannot do without.'),
    optional_secrets: z.array(z.string()).default([]).describe('Environment keys that it gets where they are set.'),
    timeout_seconds: z.number().positive().max(86_400).default(60),
    max_output_bytes: z.number().int().min(1_000).max(100_000_000).default(1_000_000),
  })
  .strict();

/** What the optional `plugin.json` says. */
export type PluginSettings = z.infer<typeof settings>;

/** How the program of a plugin is started: an interpreter by its extension, or the file itself. */
export interface PluginProgram {
  readonly command: string;
  readonly args: readonly string[];
}

const interpreters: Readonly<Record<string, string>> = {
  '.py': 'python3',
  '.js': process.execPath,
  '.mjs': process.execPath,
  '.ts': process.execPath,
  // Where the first line names none.
  '.sh': 'sh',
  '.bash': 'bash',
  '.rb': 'ruby',
  '.pl': 'perl',
};

/** Finds `cli` or `cli.*` in the folder. Throws `not_found` when there is none. */
export async function findProgram(folder: string): Promise<PluginProgram> {
  const names = (await readdir(folder)).filter((name) => /^cli(?:\.[a-z]+)?$/.test(name)).sort();
  for (const name of names) {
    const file = join(folder, name);
    const interpreter = interpreters[extname(name)];
    if (interpreter === 'python3') return { command: await pythonOf(folder), args: [file] };
    if (interpreter === 'sh') {
      const [command, ...before] = await interpreterOf(file);
      return { command, args: [...before, file] };
    }
    if (interpreter !== undefined) return { command: interpreter, args: [file] };
    if (await isExecutable(file)) return { command: file, args: [] };
  }
  throw new LunaError(
    'not_found',
    `${folder} has no program. Add cli.py, cli.js, cli.sh, or a file "cli" that can be executed (chmod +x).`,
  );
}

/** Reads `plugin.json`, where there is one. */
export async function readSettings(folder: string): Promise<PluginSettings> {
  const file = join(folder, 'plugin.json');
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'ENOENT') return settings.parse({});
    throw thrown;
  }
  try {
    return settings.parse(JSON.parse(withoutMark(text)));
  } catch (thrown) {
    const reason = thrown instanceof z.ZodError ? z.prettifyError(thrown) : messageOf(thrown);
    throw new LunaError('config_invalid', `${file}: ${reason}`, { cause: thrown });
  }
}

/** The Python of the plugin's own packages, where they are installed. */
async function pythonOf(folder: string): Promise<string> {
  const own = join(folder, '.venv', 'bin', 'python3');
  return (await isExecutable(own)) ? own : 'python3';
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}
