import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { Launched } from '../processes.ts';
import { python, type SupervisorKind, serviceArgs } from './target.ts';

const command = '/usr/bin/supervisord';

/** supervisord of Debian; `startsecs=0` spares it waiting a second before it calls a service started. */
export const supervisord: SupervisorKind = {
  name: 'supervisord',
  missing: () => (existsSync(command) ? undefined : 'It is not installed: run `apt-get install supervisor`.'),
  start: async (folder, ports) => {
    const socket = join(folder, 'control.sock');
    const file = join(folder, 'supervisord.conf');
    const programs = ports.map(
      (port, index) =>
        `[program:service-${index}]\ncommand=${[python, ...serviceArgs(port)].join(' ')}\nautorestart=true\nstartsecs=0\n`,
    );
    const head = [
      `[supervisord]\nnodaemon=true\nuser=root\ndirectory=${folder}\nchildlogdir=${folder}\npidfile=${folder}/pid`,
      `logfile=${folder}/supervisord.log\n[unix_http_server]\nfile=${socket}\n[rpcinterface:supervisor]`,
      'supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n',
    ].join('\n');
    await writeFile(file, head + programs.join('\n'));
    const child = spawn(command, ['-n', '-c', file], { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    const process = new Launched('supervisord', child);
    return {
      process,
      pid: () => process.pid,
      restart: async (index) => {
        await ask(socket, 'supervisor.stopProcess', `service-${index}`, true);
        void ask(socket, 'supervisor.startProcess', `service-${index}`, false);
      },
      stop: () => process.stop(),
    };
  },
};

/** A call of its interface, by XML over its socket. */
function ask(socketPath: string, method: string, name: string, wait: boolean): Promise<void> {
  const text = `<?xml version="1.0"?><methodCall><methodName>${method}</methodName><params><param><value><string>${name}</string></value></param><param><value><boolean>${wait ? 1 : 0}</boolean></value></param></params></methodCall>`;
  return new Promise((settle, reject) => {
    const headers = { 'content-type': 'text/xml', 'content-length': Buffer.byteLength(text) };
    const asked = request({ socketPath, path: '/RPC2', method: 'POST', headers }, (response) => {
      response.resume();
      response.once('end', settle);
    });
    asked.once('error', reject);
    asked.end(text);
  });
}
