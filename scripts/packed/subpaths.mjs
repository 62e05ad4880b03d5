/**
 * The parts of a package.json that say what a package offers.
 * @typedef {object} Manifest
 * @property {string} name
 * @property {Record<string, string | Record<string, string>>} [exports]
 * @property {Record<string, string>} [bin]
 */

/**
 * What other programs can import from a package: the code among its `exports`. Patterns and static files are not.
 * @param {Manifest} manifest
 * @returns {{ specifier: string, typed: boolean }[]}
 */
export function importableSubpaths({ name, exports = {} }) {
  return Object.entries(exports).flatMap(([subpath, target]) => {
    const file = typeof target === 'string' ? target : (target.import ?? target.default);
    if (subpath.includes('*') || !file || !/\.m?js$/.test(file)) return [];
    return [{ specifier: name + subpath.slice(1), typed: typeof target === 'object' && 'types' in target }];
  });
}
