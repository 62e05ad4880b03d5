import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { luaPermissionsSchema } from '../config/index.ts';
import { readManifest } from '../sources/index.ts';
import { commandsIn, luaPermissionsIn } from './inspect.ts';

/**
 * What a version of an extension wants beyond what the installed one has, in words for people: programs that would be
 * started, environment keys, permissions of tools in Lua. Throws `config_invalid` for files that cannot be read.
 */
export async function additionsOf(next: string, installed: string): Promise<string[]> {
  const [wanted, given] = [await wantsOf(next), await wantsOf(installed)];
  const commands = [...wanted.commands].filter(([command, script]) => given.commands.get(command) !== script);
  const secrets = [...wanted.secrets].filter((key) => !given.secrets.has(key));
  const tools = [...wanted.permissions].filter(
    ([tool, what]) => what !== nothing && given.permissions.get(tool) !== what,
  );
  return [
    ...commands.map(([command]) => `starts ${given.commands.has(command) ? 'another' : 'a new'} ${command}`),
    ...secrets.map((key) => `asks for the key ${key}`),
    ...tools.map(([tool]) => `asks for permissions of the tool ${tool}`),
  ];
}

const nothing = JSON.stringify(luaPermissionsSchema.parse({}));

async function wantsOf(folder: string) {
  const { required_secrets, optional_secrets } = await readManifest(folder);
  return {
    commands: new Map((await commandsIn(folder)).map(({ command, script }) => [command, script])),
    secrets: new Set([...required_secrets, ...optional_secrets]),
    permissions: new Map(
      (await luaPermissionsIn(folder, await luaFilesIn(folder))).map(({ tool, permissions }) => [
        tool,
        JSON.stringify(luaPermissionsSchema.parse(permissions)),
      ]),
    ),
  };
}

/** Without what was installed beside it. */
async function luaFilesIn(folder: string, below = ''): Promise<string[]> {
  const entries = await readdir(join(folder, below), { withFileTypes: true });
  const found = await Promise.all(
    entries.map(async (entry) => {
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      if (!entry.isDirectory()) return [path];
      return ['node_modules', '.venv', 'data'].includes(entry.name) ? [] : luaFilesIn(folder, path);
    }),
  );
  return found.flat();
}
