/**
 * A package that is built into its `dist`.
 * @typedef {object} BuiltPackage
 * @property {string} folder
 * @property {'tsc' | 'vite'} compiler
 * @property {string[]} uses folders of packages whose types it is compiled against
 */

/**
 * The published packages in build order. The UI takes only types from core, which are gone after its build.
 * @type {BuiltPackage[]}
 */
export const builtPackages = [
  { folder: 'packages/core', compiler: 'tsc', uses: [] },
  { folder: 'packages/ui', compiler: 'vite', uses: [] },
  { folder: 'packages/server', compiler: 'tsc', uses: ['packages/core'] },
  { folder: 'packages/create-luna', compiler: 'tsc', uses: [] },
];
