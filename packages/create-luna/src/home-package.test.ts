import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { homePackage, packageName, readVersions } from './home-package.ts';

async function packageAt(path: string) {
  return JSON.parse(await readFile(new URL(`../../../${path}/package.json`, import.meta.url), 'utf8'));
}

test.each([
  ['/x/My Luna!', 'my-luna'],
  ['/x/.hidden', 'hidden'],
  ['/x/_-.x', 'x'],
  ['/x/ünïcode', 'n-code'],
  ['/x/日本', 'my-luna'],
  ['/', 'my-luna'],
  [`/x/${'a'.repeat(250)}`, 'a'.repeat(214)],
])('the folder %j becomes the package %j', (folder, name) => {
  expect(packageName(folder)).toBe(name);
});

test('Luna is taken at the version of create-luna itself', async () => {
  const versions = await readVersions();
  const own = await packageAt('packages/create-luna');
  expect(versions.luna).toBe(own.version);
  expect(homePackage('/x/home', 'minimal', versions, {})).toMatchObject({
    name: 'home',
    private: true,
    scripts: { start: 'luna start' },
    dependencies: { '@luna/core': own.version, '@luna/server': own.version, node: '24.x' },
  });
});

test('every dependency has a version, and a home has no more than its template needs', async () => {
  const versions = await readVersions();
  const specs = (template: 'minimal' | 'full') => {
    const { dependencies, devDependencies } = homePackage('/x', template, versions, {});
    return { ...(dependencies as object), ...(devDependencies as object) };
  };
  expect(Object.values(specs('full'))).not.toContain(undefined);
  expect(Object.keys(specs('full')).sort()).toEqual(
    [...Object.keys(versions.others), '@luna/core', '@luna/server'].sort(),
  );
  expect(specs('minimal')).not.toHaveProperty('@modelcontextprotocol/server-filesystem');
});

test('the versions of other packages are those that Luna itself is tested with', async () => {
  const [core, example, root] = await Promise.all(['packages/core', 'examples/home', '.'].map(packageAt));
  expect((await readVersions()).others).toEqual({
    '@modelcontextprotocol/server-filesystem': example.dependencies['@modelcontextprotocol/server-filesystem'],
    '@types/node': root.devDependencies['@types/node'],
    node: root.devDependencies.node,
    zod: core.dependencies.zod,
  });
});

test('a package can be taken from elsewhere, whoever depends on it', async () => {
  const packages = { '@luna/core': 'file:/core.tgz', '@luna/ui': 'file:/ui.tgz', '@types/node': '24.1.0' };
  expect(homePackage('/x', 'minimal', await readVersions(), packages)).toMatchObject({
    dependencies: { '@luna/core': 'file:/core.tgz' },
    devDependencies: { '@types/node': '24.1.0' },
    overrides: { '@luna/core': '$@luna/core', '@luna/ui': 'file:/ui.tgz', '@types/node': '$@types/node' },
  });
});
