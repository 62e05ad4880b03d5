import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { systemCodeOf } from '@luna/core/errors';
import type { Settings } from '../settings.ts';
import { type Finding, ok, problem, warning } from './finding.ts';
import { portHolder } from './port-holder.ts';

/** What Luna needs of Node: see `engines` of its packages. */
const oldestNode = [22, 22] as const;
const oneGiB = 1024 ** 3;

export function checkNode(version = process.versions.node): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [wantedMajor, wantedMinor] = oldestNode;
  const isNew = major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
  if (isNew) return ok('Node', `Node ${version}`);
  const wanted = oldestNode.join('.');
  return problem(
    'Node',
    `Node ${version} is too old.`,
    `Run Luna with Node ${wanted} or newer; "npx luna" brings one.`,
  );
}

/** Whether the port is free. Not for a home whose Luna runs: that one has it. */
export async function checkPort({ host, port }: Pick<Settings, 'host' | 'port'>): Promise<Finding> {
  const code = await new Promise<string | undefined>((settle) => {
    const server = createServer();
    server.once('error', (error) => settle(systemCodeOf(error) ?? error.message));
    server.listen({ host, port }, () => server.close(() => settle(undefined)));
  });
  if (code === undefined) return ok('port', `${host}:${port} is free.`);
  if (code === 'EADDRINUSE') {
    const holder = await portHolder(port);
    const who = holder ? `"${holder.command}", process ${holder.pid}` : 'another program';
    return problem(
      'port',
      `Port ${port} on ${host} is taken by ${who}.`,
      'Stop that, or set LUNA_PORT to another port.',
    );
  }
  if (code === 'EACCES')
    return problem('port', `Port ${port} may not be used by this user.`, 'Set LUNA_PORT to a port above 1023.');
  return problem(
    'port',
    `Luna cannot listen on ${host}:${port} (${code}).`,
    'Set LUNA_HOST to an address of this machine.',
  );
}

export async function checkDisk(home: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(home);
  const free = bavail * bsize;
  const text = `${(free / oneGiB).toFixed(1)} GiB are free where the home is.`;
  const advice = 'Free some space: writes are refused once the disk is full.';
  if (free < oneGiB / 10) return problem('disk', text, advice);
  return free < oneGiB ? warning('disk', text, advice) : ok('disk', text);
}

/** Programs that parts of Luna start. */
export async function checkPrograms(): Promise<Finding[]> {
  const programs = [
    ['git', 'Extensions cannot be installed from git repositories without it.'],
    ['python3', 'Tools and plugins in Python do not run without it.'],
  ] as const;
  return Promise.all(
    programs.map(async ([name, use]) => {
      const file = await findProgram(name);
      if (file === undefined) return warning(name, `${name} is not on the PATH.`, `Install it if you need it. ${use}`);
      return ok(name, await versionOf(file));
    }),
  );
}

/** The file that a command means, as a shell would find it. */
export async function findProgram(command: string): Promise<string | undefined> {
  const places = command.includes('/')
    ? [command]
    : (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, command));
  for (const place of places) {
    const isThere = await access(place, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return place;
  }
  return undefined;
}

async function versionOf(file: string): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(file, ['--version'], { timeout: 5_000 });
    return stdout.trim().split('\n')[0] ?? file;
  } catch {
    // It is there; that it does not tell its version is no harm.
    return file;
  }
}
