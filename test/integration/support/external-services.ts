import { chmod, readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { eventually } from './eventually.ts';
import { luna, type Outcome, type RunningLuna } from './luna-process.ts';

/** Asks below /api/external-services with the supervisor token. */
export async function ask(running: RunningLuna, method: string, path: string, body?: unknown): Promise<Response> {
  const { SUPERVISOR_API_TOKEN: token } = await running.env();
  return fetch(`${running.url}/api/external-services/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
}

/** A service as it is now. */
export async function serviceOf(running: RunningLuna, name: string) {
  return (await ask(running, 'GET', name)).json();
}

/** Waits until the service is so. */
export async function untilService(running: RunningLuna, name: string, expected: object) {
  return eventually(async () => {
    const service = await serviceOf(running, name);
    expect(service).toMatchObject(expected);
    return service;
  });
}

/** Runs `luna service …` on the home of a Luna that runs. */
export async function service(running: RunningLuna, ...args: string[]): Promise<Outcome> {
  return luna(['service', ...args, '--home', running.home]);
}

/** A home that other users can get to, as PostgreSQL's must when Luna runs as root. */
export async function openTo(home: string): Promise<string> {
  await chmod(home, 0o755);
  return home;
}

/** Whether a process runs. One that has ended and that nobody has asked about does not. */
export async function runs(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z');
  return !/\) [ZX]/.test(stat);
}
