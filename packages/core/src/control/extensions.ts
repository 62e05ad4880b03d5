import { join } from 'node:path';
import type { EnvFile } from '../config/index.ts';
import { LunaError } from '../errors/index.ts';
import { foldersIn, readManifest } from '../sources/index.ts';
import { type AutoUpdates, commandsIn, type Updates } from '../updates/index.ts';
import { type Described, describeToolsBySource } from './describe.ts';
import type { ExtensionServices } from './extension-services/index.ts';
import type { ExtensionDetailView, ExtensionView } from './views.ts';

/** What extensions are shown from. */
export interface ShownExtensions {
  readonly described: Described;
  readonly env: EnvFile;
  readonly services: Pick<ExtensionServices, 'describe'>;
  readonly updates: Pick<Updates, 'formerOf'>;
  readonly autoUpdates: Pick<AutoUpdates, 'pendingOf'>;
}

export async function describeExtensions(luna: ShownExtensions): Promise<ExtensionView[]> {
  const details = await describeAll(luna, await foldersIn(luna.described.extensionsFolder));
  return details.map(({ tools: _tools, commands: _commands, ...view }) => view);
}

/** Throws `not_found`. */
export async function describeExtension(luna: ShownExtensions, name: string): Promise<ExtensionDetailView> {
  const names = await foldersIn(luna.described.extensionsFolder);
  const [view] = await describeAll(
    luna,
    names.filter((one) => one === name),
  );
  if (!view) throw new LunaError('not_found', `There is no extension "${name}".`);
  return view;
}

async function describeAll(luna: ShownExtensions, names: readonly string[]): Promise<ExtensionDetailView[]> {
  const { described, env, updates } = luna;
  const programs = await luna.services.describe();
  const { sources } = await describeToolsBySource(described);
  const secrets = Object.keys(await env.read());
  return Promise.all(
    names.map(async (name) => {
      const folder = join(described.extensionsFolder, name);
      const entry = Object.hasOwn(described.config.extensions, name) ? described.config.extensions[name] : undefined;
      // A manifest that is broken is told by the health of the source.
      const manifest = await readManifest(folder).catch(() => undefined);
      const source = sources.find(({ id, kind }) => id === name && kind === 'extension');
      const commands = await commandsIn(folder);
      const services = programs.filter(({ extension }) => extension === name);
      const ui = services.find(({ kind }) => kind === 'ui');
      const pendingUpdate = luna.autoUpdates.pendingOf(name);
      const formerSince = await updates.formerOf(name);
      const requiredSecrets = manifest?.required_secrets ?? [];
      return {
        name,
        ...(manifest?.version !== undefined && { version: manifest.version }),
        ...(manifest?.description !== undefined && { description: manifest.description }),
        enabled: entry?.enabled ?? true,
        ...(entry?.source !== undefined && { source: entry.source }),
        health: source?.health ?? { status: 'stopped' as const },
        toolCount: source?.toolCount ?? 0,
        requiredSecrets,
        missingSecrets: requiredSecrets.filter((key) => !secrets.includes(key)),
        ...(ui?.url !== undefined && { ui: ui.url }),
        services,
        ...(pendingUpdate && { pendingUpdate }),
        ...(formerSince !== undefined && { formerSince }),
        tools: source?.tools ?? [],
        commands,
      };
    }),
  );
}
