import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { launch } from '../processes.ts';
import { python, type SupervisorKind, serviceArgs } from './target.ts';

const runtime = fileURLToPath(new URL('../node_modules/pm2/bin/pm2-runtime', import.meta.url));

/** What is used of PM2's own client. */
interface Client {
  connect(done: (error?: Error | null) => void): void;
  restart(name: string, done: (error?: Error | null) => void): void;
  disconnect(): void;
}

/** PM2 in its leanest form: `pm2-runtime`, which is command and daemon in one process. */
export const pm2: SupervisorKind = {
  name: 'PM2',
  missing: () => (existsSync(runtime) ? undefined : 'PM2 is not installed: run `npm ci` in bench.'),
  start: async (folder, ports) => {
    const apps = ports.map((port, index) => ({
      name: `service-${index}`,
      script: python,
      args: serviceArgs(port),
      interpreter: 'none',
      cwd: folder,
      pmx: false,
    }));
    const file = join(folder, 'services.config.cjs');
    await writeFile(file, `module.exports = ${JSON.stringify({ apps })};\n`);
    const env = { PM2_HOME: folder, PM2_DISABLE_VERSION_CHECK: 'true', PM2_SILENT: 'true' };
    const started = launch('PM2', [runtime, 'start', file], { env });
    const connected = once(() => connectTo(env));
    return {
      process: started,
      pid: () => started.pid,
      restart: async (index) => {
        const client = await connected();
        client.restart(`service-${index}`, () => undefined);
      },
      stop: async () => {
        if (connected.isMade()) (await connected()).disconnect();
        await started.stop();
      },
    };
  },
};

function connectTo(env: Readonly<Record<string, string>>): Promise<Client> {
  Object.assign(process.env, env);
  const require = createRequire(import.meta.url);
  // Its paths are taken from the environment when it is loaded.
  for (const loaded of Object.keys(require.cache)) if (loaded.includes('/pm2/')) delete require.cache[loaded];
  const client: Client = require('pm2');
  return new Promise((settle, reject) => client.connect((error) => (error ? reject(error) : settle(client))));
}

function once<Value>(make: () => Promise<Value>): (() => Promise<Value>) & { isMade(): boolean } {
  let made: Promise<Value> | undefined;
  return Object.assign(() => (made ??= make()), { isMade: () => made !== undefined });
}
