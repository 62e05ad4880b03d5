import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { launch } from '../processes.ts';
import type { SupervisorKind } from './target.ts';

const built = fileURLToPath(new URL('../../packages/core/dist/supervisor/index.js', import.meta.url));
const program = fileURLToPath(new URL('luna-program.ts', import.meta.url));

/** `@luna/core/supervisor` in a program of thirty lines. */
export const luna: SupervisorKind = {
  name: '@luna/core/supervisor',
  missing: () => (existsSync(built) ? undefined : 'It is not built: run `npm run build`.'),
  start: async (folder, ports) => {
    const process = launch('Luna supervisor', [program, folder, ...ports.map(String)], { ipc: true });
    return {
      process,
      pid: () => process.pid,
      restart: async (index) => void process.child.send({ restart: index }),
      stop: () => process.stop(),
    };
  },
};
