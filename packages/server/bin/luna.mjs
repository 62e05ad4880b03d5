#!/usr/bin/env node
// Plain JavaScript that old versions of Node can read. A Node that is too old for Luna hands over to the one that the
// package "node" brings to a home or to the repository, if it is there.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major > 22 || (major === 22 && minor >= 22)) await import('../dist/cli/main.js');
else handOver(newerNode());

function newerNode() {
  try {
    return createRequire(import.meta.url).resolve('node/bin/node');
  } catch {
    return undefined;
  }
}

/** @param {string | undefined} node */
function handOver(node) {
  if (node === undefined || node === process.execPath) {
    console.error(`luna: Luna needs Node 22.22 or later; this is Node ${process.versions.node}.
Install a newer Node, or add one to this folder alone: npm install node@24`);
    process.exit(1);
  }
  const child = spawn(node, process.argv.slice(1), { stdio: 'inherit' });
  // A signal to the whole group reaches the child by itself; one to this process alone has to be passed on.
  for (const signal of /** @type {const} */ (['SIGTERM', 'SIGHUP'])) process.on(signal, () => child.kill(signal));
  process.on('SIGINT', () => undefined);
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
