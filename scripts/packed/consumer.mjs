import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../setup/root.mjs';
import { run } from '../setup/run.mjs';
import { importableSubpaths } from './subpaths.mjs';

/** @typedef {import('./pack.mjs').Packed} Packed */

/**
 * Installs the tarballs together in a new folder, as a person's own project would.
 * @param {string} folder
 * @param {Packed[]} packages
 */
export function installPacked(folder, packages) {
  mkdirSync(folder);
  const typesOfNode = JSON.parse(readFileSync(join(root, 'node_modules/@types/node/package.json'), 'utf8'));
  const manifest = {
    private: true,
    type: 'module',
    dependencies: Object.fromEntries(packages.map(({ manifest, tarball }) => [manifest.name, `file:${tarball}`])),
    devDependencies: { '@types/node': typesOfNode.version },
  };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  return run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'], {
    cwd: folder,
    capture: true,
  });
}

/**
 * Imports every subpath of every package in one process, and sees that a class is one and the same wherever it comes
 * from, and that an error thrown by one room is the class that another exports.
 * @param {string} folder
 * @param {Packed[]} packages
 */
export function importEverything(folder, packages) {
  const specifiers = packages.flatMap(({ manifest }) => importableSubpaths(manifest).map(({ specifier }) => specifier));
  writeFileSync(
    join(folder, 'import-all.js'),
    `const specifiers = ${JSON.stringify(specifiers)};
const problems = [];
const classes = new Map();
for (const specifier of specifiers) {
  try {
    for (const [name, value] of Object.entries(await import(specifier))) {
      if (typeof value !== 'function' || !/^class\\b/.test(String(value))) continue;
      const first = classes.get(name) ?? { specifier, value };
      classes.set(name, first);
      if (first.value !== value) problems.push(\`\${name} of \${first.specifier} and of \${specifier} are different classes\`);
    }
  } catch (error) {
    problems.push(\`\${specifier} cannot be imported: \${error.stack}\`);
  }
}
if (problems.length === 0) {
  const { LunaError } = await import('@luna/core/errors');
  const { ToolPipeline, ToolRegistry } = await import('@luna/core/tools');
  const call = new ToolPipeline(new ToolRegistry()).call({ name: 'none', caller: { kind: 'check' } });
  const thrown = await call.catch((error) => error);
  if (!(thrown instanceof LunaError)) problems.push('@luna/core/tools throws another LunaError than @luna/core/errors exports');
}
console.log(problems.join('\\n'));
process.exitCode = problems.length ? 1 : 0;
setTimeout(() => {
  console.log('Importing alone keeps the process alive: something starts at import.');
  process.exit(1);
}, 5000).unref();
`,
  );
  return run('node', ['import-all.js'], { cwd: folder, capture: true });
}

/**
 * Type-checks a file that imports every subpath with types, the declarations of the dependencies included.
 * @param {string} folder
 * @param {Packed[]} packages
 */
export function checkTypes(folder, packages) {
  const typed = packages.flatMap(({ manifest }) => importableSubpaths(manifest).filter(({ typed }) => typed));
  const names = typed.map((_, index) => `subpath${index}`);
  const imports = typed.map(({ specifier }, index) => `import * as ${names[index]} from '${specifier}';`);
  writeFileSync(join(folder, 'types.ts'), `${imports.join('\n')}\nexport const all = [${names.join(', ')}];\n`);
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2024',
    lib: ['es2024'],
    types: ['node'],
    strict: true,
    noEmit: true,
    skipLibCheck: false,
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['types.ts'] }));
  return run('tsc', ['-p', folder], { capture: true });
}

/**
 * Whether an installed command starts and prints its help.
 * @param {string} folder
 * @param {string} command
 */
export async function showHelp(folder, command) {
  const { ok, output } = await run(join(folder, 'node_modules/.bin', command), ['--help'], {
    cwd: folder,
    capture: true,
  });
  return { ok: ok && output.includes(command), output: output || `${command} --help printed nothing.` };
}
