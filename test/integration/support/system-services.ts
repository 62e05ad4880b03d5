import { spawnSync } from 'node:child_process';

/**
 * Whether this machine has the programs of a database server. Where it has not, tests that need them are skipped, and
 * say so.
 */
function has(what: string, programs: string, debianPackage: string): boolean {
  if (spawnSync('sh', ['-c', programs]).status === 0) return true;
  const how = `${what} is missing. Install it: apt-get install ${debianPackage}`;
  if (process.env.CI === 'true') throw new Error(how);
  console.warn(`\nSKIPPED: tests that need ${what}, because ${how}\n`);
  return false;
}

export const hasRedis = has('Redis', 'command -v redis-server && command -v redis-cli', 'redis-server');
export const hasPostgres = has(
  'PostgreSQL',
  'command -v psql && { command -v postgres || ls /usr/lib/postgresql/*/bin/postgres; }',
  'postgresql',
);
