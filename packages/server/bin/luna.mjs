#!/usr/bin/env node
// Plain JavaScript that old versions of Node can read, so that they get a sentence and not a syntax error.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 22)) {
  console.error(`Luna needs Node 22.22 or later; this is Node ${process.versions.node}.
In a home that was made by create-luna, run "npm start": it brings its own Node.`);
  process.exit(1);
}
await import('../dist/cli/main.js');
