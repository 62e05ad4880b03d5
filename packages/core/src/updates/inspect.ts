import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { sourceName } from '../config/index.ts';
import { messageOf } from '../errors/index.ts';
import { type ExtensionManifest, parseLuaManifest, readManifest } from '../sources/index.ts';
import { installScripts, namedDependencies } from './dependencies.ts';
import type { FetchedCopy } from './fetch.ts';
import { isThere, readIfThere } from './folders.ts';
import { tooNew } from './release-age.ts';
import type { InspectionView } from './views.ts';

export interface InspectOptions {
  /** What the person wants to call it. */
  readonly name?: string | undefined;
  /** Keys that are set in `.env`. */
  readonly secrets: readonly string[];
  /** How old a release has to be, in milliseconds. */
  readonly minAgeMs: number;
  /** What is there under a name. */
  readonly installed: (name: string) => Promise<InspectionView['installed']>;
}

const shownPaths = 1_000;
const shownScriptBytes = 4_096;

/** What a fetched copy brings. Nothing of it is run: files are looked at, and those of them that Luna reads are read. */
export async function inspectCopy(copy: FetchedCopy, options: InspectOptions): Promise<InspectionView> {
  const { folder, files, source } = copy;
  const refusals: string[] = [];
  const attempt = async <Value>(work: () => Promise<Value>, otherwise: Value): Promise<Value> => {
    try {
      return await work();
    } catch (thrown) {
      refusals.push(messageOf(thrown).replaceAll(`${folder}/`, ''));
      return otherwise;
    }
  };
  const manifest = await attempt<Partial<ExtensionManifest>>(() => readManifest(folder), {});
  const {
    npm,
    python,
    refusals: unwanted,
  } = await attempt(() => namedDependencies(folder), {
    npm: [],
    python: [],
    refusals: [],
  });
  const name =
    options.name ?? [manifest.name, copy.suggestedName].find((one) => sourceName.safeParse(one).success) ?? '';
  if (!sourceName.safeParse(name).success)
    refusals.push('It has no name that an extension can have here. Give it one (--name).');
  const requiredSecrets = manifest.required_secrets ?? [];
  const installed = name === '' ? undefined : await options.installed(name);
  const young = tooNew(copy, options.minAgeMs);
  const scripts = await attempt(() => installScripts(folder), []);
  return {
    digest: copy.digest,
    source,
    ...(copy.revision !== undefined && { revision: copy.revision }),
    ...(copy.releasedAt !== undefined && { releasedAt: copy.releasedAt }),
    ...(young !== undefined && { tooNew: young }),
    name,
    ...(manifest.version !== undefined && { version: manifest.version }),
    ...(manifest.description !== undefined && { description: manifest.description }),
    files: { count: files.length, bytes: copy.bytes, paths: files.slice(0, shownPaths) },
    toolFiles: files.filter((file) => /^tools\/[^/]+_tools\.(?:ts|js|mjs|py)$/.test(file)),
    commands: await commandsIn(folder),
    requiredSecrets,
    missingSecrets: requiredSecrets.filter((key) => !options.secrets.includes(key)),
    permissions: await attempt(() => luaPermissionsIn(folder, files), []),
    dependencies: { npm: [...npm], python: [...python] },
    warnings: [
      ...(copy.leftOut.length > 0 ? [`Left out, because Luna makes them itself: ${copy.leftOut.join(', ')}.`] : []),
      ...(scripts.length > 0 ? [`Scripts of package.json that Luna does not run: ${scripts.join(', ')}.`] : []),
      ...(manifest.auto_update ? ['It is updated by itself from then on, as long as it asks for nothing more.'] : []),
      ...(files.some((file) => /\.node$|\.so$|\.dll$|\.dylib$/.test(file))
        ? ['It brings programs in machine code, which cannot be read.']
        : []),
    ],
    refusals: [...refusals, ...unwanted],
    ...(installed && { installed }),
  };
}

/** Programs of an extension that Luna would start: its UI, and its services. */
export async function commandsIn(folder: string): Promise<InspectionView['commands']> {
  const services = await readdir(join(folder, 'services')).catch(() => []);
  const places = [
    { kind: 'ui' as const, name: 'ui', command: 'ui/start.sh' },
    ...services.sort().map((name) => ({ kind: 'service' as const, name, command: `services/${name}/start.sh` })),
  ];
  const found = await Promise.all(
    places.map(async (place) =>
      (await isThere(join(folder, place.command)))
        ? [{ ...place, script: await beginningOf(join(folder, place.command)) }]
        : [],
    ),
  );
  return found.flat();
}

async function beginningOf(file: string): Promise<string> {
  const handle = await open(file, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(shownScriptBytes), 0, shownScriptBytes, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** What tools in Lua ask for, by the files of an extension. */
export async function luaPermissionsIn(
  folder: string,
  files: readonly string[],
): Promise<InspectionView['permissions']> {
  const manifests = files.filter((file) => /(?:^|\/)lua\/[^/]+\/mcp_tool\.json$/.test(file));
  return Promise.all(
    manifests.map(async (file) => {
      const { permissions } = parseLuaManifest((await readIfThere(join(folder, file))) ?? '', file);
      return { tool: file.split('/').at(-2) ?? '', permissions: { ...permissions } };
    }),
  );
}
