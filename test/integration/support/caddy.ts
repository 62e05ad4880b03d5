import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { onTestFinished } from 'vitest';
import { eventually } from './eventually.ts';
import { temporaryFolder } from './luna-process.ts';

/** A Caddy that runs, with an authority of its own. */
export interface RunningCaddy {
  /** The root certificate of its authority. */
  readonly root: string;
}

/**
 * Starts Caddy on a Caddyfile, and waits until it answers for the domain at the port; it neither listens for an
 * administrator nor touches what this machine trusts.
 */
export async function startCaddy(caddyfile: string, domain: string, port: number): Promise<RunningCaddy> {
  const folder = await temporaryFolder();
  const file = join(folder, 'Caddyfile');
  await writeFile(file, caddyfile.replace('\n{\n', '\n{\n\tadmin off\n\tskip_install_trust\n'));
  const child = spawn('caddy', ['run', '--config', file, '--adapter', 'caddyfile'], {
    env: { PATH: process.env.PATH, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
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
  const root = await readFile(join(folder, 'caddy/pki/authorities/local/root.crt'), 'utf8');
  // It says that it has a certificate a little before it uses it.
  await eventually(() => shakeHands(domain, port, root));
  return { root };
}

async function shakeHands(servername: string, port: number, ca: string): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port, servername, ca });
  try {
    await once(socket, 'secureConnect');
  } finally {
    socket.destroy();
  }
}
