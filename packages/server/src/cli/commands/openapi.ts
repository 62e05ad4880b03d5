import { access, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { EnvFile, homePaths, sourceName } from '@luna/core/config';
import { LunaError } from '@luna/core/errors';
import { Command } from 'commander';
import { findHome } from '../../settings.ts';
import { counted, print, run, table } from '../output.ts';

interface Options {
  readonly name?: string;
  readonly include?: string[];
  readonly exclude?: string[];
  readonly baseUrl?: string;
  readonly allowPrivateNetwork?: boolean;
  readonly preview?: boolean;
  readonly home?: string;
  readonly json?: boolean;
}

export function openApiCommand(): Command {
  return new Command('openapi')
    .description('Make tools out of an OpenAPI 3 document: writes a file under http/ of the home.')
    .argument('<document>', 'the address or the path of the document')
    .option('--name <name>', 'the name of the file (default: from the document)')
    .option('--include <patterns...>', 'only these operations: operationId, tag:NAME, "METHOD /path", with *')
    .option('--exclude <patterns...>', 'not these operations')
    .option('--base-url <url>', 'the address of the service, where the document does not say it')
    .option('--allow-private-network', 'the service may be inside your network')
    .option('--preview', 'show the tools and write nothing')
    .option('--home <dir>', 'the home (default: LUNA_HOME, or the folder here)')
    .option('--json', 'print JSON')
    .action((document: string, options: Options) => run(options.json, () => openApi(document, options)));
}

async function openApi(document: string, options: Options): Promise<void> {
  const home = findHome(options.home, process.env);
  const paths = homePaths(home);
  const name = options.name ?? nameFor(document);
  const legal = sourceName.safeParse(name);
  if (!legal.success || name.endsWith('.openapi')) {
    const why = legal.error?.issues[0]?.message ?? 'files that end so are documents';
    throw new LunaError('invalid_input', `"${name}" cannot be the name of the file: ${why}.`);
  }
  const file = join(paths.http, `${name}.yaml`);
  const text = `${JSON.stringify(contentOf(document, options), null, 2)}\n`;
  const tools = await toolsOf(text, name, paths.env);
  if (!options.preview) {
    const isThere = await access(file).then(
      () => true,
      () => false,
    );
    if (isThere) throw new LunaError('conflict', `${file} is there already. Choose another name with --name.`);
    await mkdir(paths.http, { recursive: true });
    await writeFile(file, text);
  }
  print({ file: options.preview ? undefined : file, tools }, options.json, () =>
    [
      table([['TOOL', 'WHAT'], ...tools.map((tool) => [tool.name, firstLine(tool.description)])]),
      options.preview
        ? `${counted(tools.length, 'tool')}. Nothing was written.`
        : `${counted(tools.length, 'tool')} in ${file}.`,
    ].join('\n'),
  );
}

/** Reads the document as the running Luna would. */
async function toolsOf(text: string, name: string, env: string): Promise<{ name: string; description: string }[]> {
  const folder = await mkdtemp(join(tmpdir(), 'luna-openapi-'));
  const file = join(folder, `${name}.yaml`);
  await writeFile(file, text);
  const secrets = () => new EnvFile(env).read();
  const { HttpSource } = await import('@luna/core/sources');
  const source = new HttpSource({
    id: name,
    file,
    secrets,
    egress: () => ({ allowedHosts: [], allowPrivateNetwork: false }),
  });
  try {
    await source.start();
    const { status, reason } = source.health();
    if (status !== 'ready') throw new LunaError('extension_invalid', reason ?? 'The document cannot be used.');
    return source.list().map((tool) => ({ name: tool.name, description: tool.description ?? '' }));
  } finally {
    await source.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function contentOf(document: string, { include, exclude, baseUrl, allowPrivateNetwork }: Options): object {
  return {
    openapi: /^https?:\/\//.test(document) ? document : resolve(document),
    ...(baseUrl !== undefined && { base_url: baseUrl }),
    ...(include && { include }),
    ...(exclude && { exclude }),
    ...(allowPrivateNetwork && { allow_private_network: true }),
  };
}

function nameFor(document: string): string {
  const last = URL.canParse(document) && /^https?:/.test(document) ? new URL(document).hostname : basename(document);
  const plain = last
    .replace(/\.(?:ya?ml|json)$/i, '')
    .replace(/[^A-Za-z0-9_-]+/g, '-')
    .replace(/^[-_]+|-+$/g, '')
    .slice(0, 64);
  return plain || 'service';
}

function firstLine(text: string): string {
  const line = text.split('\n')[0] ?? '';
  return line.length > 80 ? `${line.slice(0, 79)}…` : line;
}
