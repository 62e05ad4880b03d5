import { spawnSync } from 'node:child_process';

/**
 * Whether this machine has a program that some tests are about. Where it has not, they are skipped, and say so; with
 * `CI=true` that is a failure.
 */
export function hasProgram(name: string, args: readonly string[], install: string): boolean {
  if (spawnSync(name, args).status === 0) return true;
  const how = `${name} is missing. Install it: ${install}`;
  if (process.env.CI === 'true') throw new Error(how);
  console.warn(`\nSKIPPED: tests that need ${name}, because ${how}\n`);
  return false;
}

export const hasCaddy = () => hasProgram('caddy', ['version'], 'apt-get install caddy');
export const hasSystemd = () => hasProgram('systemd-notify', ['--version'], 'apt-get install systemd');
