import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** One check of the suite. */
export interface Check {
  readonly scenario: string;
  readonly id: string;
  readonly status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'INFO' | 'SKIPPED';
  readonly errorMessage?: string;
}

export interface SuiteRun {
  /** 0 when every scenario that the revision requires has passed. */
  readonly exitCode: number;
  readonly checks: readonly Check[];
}

/** Hundreds of processes run the same code. */
const env = {
  ...process.env,
  NODE_COMPILE_CACHE: join(tmpdir(), `luna-test-compile-cache-${process.getuid?.() ?? 0}`),
};

const command = fileURLToPath(
  new URL('../../node_modules/@modelcontextprotocol/conformance/dist/index.js', import.meta.url),
);

/** Runs the scenarios that a revision of MCP requires of a server, and gives back every check. */
export async function runServerSuite(url: string, revision: '2025-11-25' | '2026-07-28'): Promise<SuiteRun> {
  const folder = await mkdtemp(join(tmpdir(), 'luna-conformance-'));
  const args = [command, 'server', '--url', url, '--requirements', revision, '--output-dir', folder];
  const child = spawn(process.execPath, args, { stdio: 'ignore', env });
  const [exitCode] = await once(child, 'exit');
  const checks = await checksIn(folder);
  await rm(folder, { recursive: true });
  return { exitCode, checks };
}

/** Runs one scenario for clients with a program of ours, and gives back every check. */
export async function runClientScenario(program: string, scenario: string, revision: string): Promise<SuiteRun> {
  const folder = await mkdtemp(join(tmpdir(), 'luna-conformance-'));
  const run = `${JSON.stringify(process.execPath)} ${JSON.stringify(program)}`;
  const args = [command, 'client', '--command', run, '--scenario', scenario, '--spec-version', revision];
  const child = spawn(process.execPath, [...args, '--output-dir', folder], { stdio: 'ignore', env });
  const [exitCode] = await once(child, 'exit');
  const checks = await checksIn(folder);
  await rm(folder, { recursive: true });
  return { exitCode, checks };
}

/**
 * Runs the scenarios for authorization servers with a client that is registered there. `person` is given the address
 * that a person has to open.
 */
export async function runAuthorizationSuite(
  server: { url: string; clientId: string; resource: string; port: number },
  person: (address: URL) => Promise<void>,
): Promise<SuiteRun> {
  const folder = await mkdtemp(join(tmpdir(), 'luna-conformance-'));
  const { url, clientId, resource, port } = server;
  const args = [command, 'authorization', '--url', url, '--client-id', clientId, '--resource', resource];
  const child = spawn(process.execPath, [...args, '--port', String(port), '--output-dir', folder], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env,
  });
  const ended = once(child, 'exit');
  let sent: Promise<void> | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    if (!sent && line.startsWith(`${url}/api/authorize?`)) sent = person(new URL(line));
  }
  await sent;
  const [exitCode] = await ended;
  const checks = await checksIn(folder);
  await rm(folder, { recursive: true });
  return { exitCode, checks };
}

async function checksIn(folder: string): Promise<Check[]> {
  const found: Check[] = [];
  const entries = await readdir(folder, { recursive: true });
  for (const entry of entries.filter((name) => basename(name) === 'checks.json')) {
    const scenario = dirname(entry)
      .replace(/^server-/, '')
      .replace(/-\d{4}-\d\d-\d\dT.*$/, '');
    const checks: Omit<Check, 'scenario'>[] = JSON.parse(await readFile(join(folder, entry), 'utf8'));
    found.push(...checks.map(({ id, status, errorMessage }) => ({ scenario, id, status, errorMessage })));
  }
  return found;
}
