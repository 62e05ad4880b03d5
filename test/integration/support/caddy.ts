import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { temporaryFolder } from './luna-process.ts';

/** A Caddy that runs, with an authority of its own. */
export interface RunningCaddy {
  /** The root certificate of its authority. */
  readonly root: string;
}

/** Any two ports that are free now. */
export async function freePorts(): Promise<[number, number]> {
  const servers = [createServer(), createServer()];
  const ports = await Promise.all(
    servers.map(async (server) => {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const address = server.address();
      return typeof address === 'object' && address ? address.port : 0;
    }),
  );
  for (const server of servers) server.close();
  return [ports[0] ?? 0, ports[1] ?? 0];
}

/** Starts Caddy on a Caddyfile; it neither listens for an administrator nor touches what this machine trusts. */
export async function startCaddy(caddyfile: string): Promise<RunningCaddy> {
  const folder = await temporaryFolder();
  const file = join(folder, 'Caddyfile');
  await writeFile(file, caddyfile.replace('\n{\n', '\n{\n\tadmin off\n\tskip_install_trust\n'));
  const child = spawn('caddy', ['run', '--config', file, '--adapter', 'caddyfile'], {
    env: { PATH: process.env.PATH, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  onTestFinished(async () => {
    if (child.exitCode !== null) return;
    // It waits for streams otherwise.
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  let said = '';
  await new Promise<void>((settle, reject) => {
    child.once('exit', (code) => reject(new Error(`Caddy ended with ${code}: ${said}`)));
    child.stderr.on('data', (chunk) => {
      said += chunk;
      if (said.includes('serving initial configuration') && said.includes('certificate obtained successfully'))
        settle();
    });
  });
  return { root: await readFile(join(folder, 'caddy/pki/authorities/local/root.crt'), 'utf8') };
}
