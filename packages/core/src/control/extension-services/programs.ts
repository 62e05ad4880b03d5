import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, systemCodeOf } from '../../errors/index.ts';
import {
  type ExtensionHealthCheck,
  foldersIn,
  readManifest,
  readServiceConfig,
  secretsOf,
} from '../../sources/index.ts';
import { interpreterOf } from '../../supervisor/index.ts';

/** A program that an extension brings, beside its tools. */
export interface ExtensionProgram {
  /** `<extension>.ui` or `<extension>.<service>`. */
  readonly name: string;
  readonly extension: string;
  readonly kind: 'ui' | 'service';
  /** The name of the service, `ui` for the UI. */
  readonly service: string;
  /** The folder with its start.sh. */
  readonly folder: string;
  readonly needsPort: boolean;
  readonly health: ExtensionHealthCheck | undefined;
  readonly healthIntervalMs: number;
  readonly restartOnFailure: boolean;
  readonly stripPrefix: boolean;
  /** Of a UI: whether its path ends with a slash. */
  readonly slash: boolean;
  /** Of a service: whether it was named as the one for `/api/<extension>/`. */
  readonly isDefault: boolean;
  /** Names of the variables of `.env` that it gets. */
  readonly secrets: readonly string[];
  /** Changes whenever start.sh was written or exchanged. */
  readonly revision: string;
  /** What runs start.sh; nothing where it can be run by itself. */
  readonly interpreter: readonly string[];
}

/** A program that cannot be started as it is, with what is wrong. */
export interface BrokenProgram {
  readonly name: string;
  readonly extension: string;
  readonly kind: 'ui' | 'service';
  readonly problem: string;
}

/** Finds what an extension's folder wants to have run: `ui/start.sh` and each `services/<service>/start.sh`. */
export async function findPrograms(
  extension: string,
  folder: string,
): Promise<{ programs: ExtensionProgram[]; broken: BrokenProgram[] }> {
  const programs: ExtensionProgram[] = [];
  const broken: BrokenProgram[] = [];
  const services = await foldersIn(join(folder, 'services'));
  const uiScript = await scriptIn(join(folder, 'ui'));
  if (!uiScript && services.length === 0) return { programs, broken };
  const manifest = await readManifest(folder).catch((thrown: unknown) => messageOf(thrown));
  const secrets = typeof manifest === 'string' ? [] : secretsOf(manifest);
  if (uiScript) {
    const name = `${extension}.ui`;
    if (typeof manifest === 'string') broken.push({ name, extension, kind: 'ui', problem: manifest });
    else {
      programs.push({
        ...uiScript,
        name,
        extension,
        kind: 'ui',
        service: 'ui',
        needsPort: true,
        health: manifest.ui?.health_check,
        healthIntervalMs: 30_000,
        restartOnFailure: true,
        stripPrefix: manifest.ui?.strip_prefix ?? true,
        slash: manifest.ui?.enforce_trailing_slash ?? true,
        isDefault: false,
        secrets,
      });
    }
  }
  for (const service of services) {
    const found = await findService(extension, service, join(folder, 'services', service), secrets);
    if ('problem' in found) broken.push(found);
    else programs.push(found);
  }
  return { programs, broken };
}

async function findService(
  extension: string,
  service: string,
  folder: string,
  secrets: readonly string[],
): Promise<ExtensionProgram | BrokenProgram> {
  const name = `${extension}.${service}`;
  const about = { name, extension, kind: 'service' } as const;
  if (service === 'ui' || service.includes('.'))
    return { ...about, problem: 'A service cannot be called "ui", nor have a dot in its name. Rename its folder.' };
  const script = await scriptIn(folder);
  if (!script) return { ...about, problem: `${folder} has no start.sh. Write one; it gets the port as $1.` };
  try {
    const config = await readServiceConfig(folder);
    return {
      ...about,
      ...script,
      service,
      needsPort: config.requires_port,
      health: config.health_check,
      healthIntervalMs: config.health_check_interval_seconds * 1000,
      restartOnFailure: config.restart_on_failure,
      stripPrefix: config.strip_prefix,
      slash: false,
      isDefault: config.default ?? false,
      secrets,
    };
  } catch (thrown) {
    return { ...about, problem: messageOf(thrown) };
  }
}

async function scriptIn(
  folder: string,
): Promise<Pick<ExtensionProgram, 'folder' | 'revision' | 'interpreter'> | undefined> {
  const script = join(folder, 'start.sh');
  try {
    const { mtimeMs, ino } = await stat(script);
    const isExecutable = await access(script, constants.X_OK).then(
      () => true,
      () => false,
    );
    return { folder, revision: `${mtimeMs}/${ino}`, interpreter: isExecutable ? [] : await interpreterOf(script) };
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'ENOENT' || systemCodeOf(thrown) === 'ENOTDIR') return undefined;
    throw thrown;
  }
}
