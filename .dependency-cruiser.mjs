// The import laws of ARCHITECTURE.md. `npm test -- lint` checks them.

/** The rooms of core from the ground up: each imports only rooms before it. A row's rooms do not import one another. */
const floors = [
  ['errors'],
  ['config'],
  ['store'],
  ['supervisor'],
  ['services'],
  ['tools'],
  ['sources'],
  ['hub', 'agents', 'schedule', 'updates'],
  ['control'],
  ['views'],
];

const core = '^packages/core/src';
const rooms = floors.flat();
const test = '\\.test\\.ts$';

/** @param {string[]} names */
const anyOf = (names) => `(?:${names.join('|')})`;

const downward = floors.flatMap((floor, level) =>
  floor.map((room) => {
    const below = floors.slice(0, level).flat();
    const allowed = anyOf([room, ...below]);
    return {
      name: `law-imports-run-downward: core/${room}`,
      comment: `Imports run downward only: core/${room} may import ${below.join(', ') || 'no other room'}.`,
      severity: 'error',
      from: { path: `${core}/${room}/`, pathNot: test },
      to: { path: `${core}/`, pathNot: `${core}/${allowed}/` },
    };
  }),
);

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...downward,
    {
      name: 'law-every-room-has-a-floor',
      comment: 'A new folder of core needs its place in the order of rooms (.dependency-cruiser.mjs, ARCHITECTURE.md).',
      severity: 'error',
      from: { path: `${core}/(?!${anyOf(rooms)}/)[^/]+/` },
      to: {},
    },
    {
      name: 'law-rooms-have-one-door',
      comment:
        "Another room is imported through its index.ts only ('../config/index.ts'), never through a file inside. What it shows of itself (its views.ts) is for everybody who reads it: schemas that need nothing else of the room.",
      severity: 'error',
      from: { path: `${core}/([^/]+)/`, pathNot: test },
      to: {
        path: `${core}/[^/]+/`,
        pathNot: [
          `${core}/$1/`,
          `${core}/[^/]+/index\\.ts$`,
          `${core}/[^/]+/(?:agent-)?views\\.ts$`,
          `${core}/sources/[^/]+/index\\.ts$`,
        ],
      },
    },
    {
      name: 'law-kinds-of-source-stand-apart',
      comment: 'One kind of source does not import another. What both need belongs in sources/ itself or a lower room.',
      severity: 'error',
      from: { path: `${core}/sources/([^/]+)/`, pathNot: test },
      to: { path: `${core}/sources/[^/]+/`, pathNot: [`${core}/sources/$1/`, `${core}/sources/egress/index\\.ts$`] },
    },
    {
      name: 'law-core-knows-no-framework',
      comment: '@luna/core imports neither Koa nor Vue, nor the packages above it.',
      severity: 'error',
      from: { path: `${core}/`, pathNot: test },
      to: {
        path: [
          '(?:^|/)(?:koa|koa-[^/]+|@koa/[^/]+|vue|vue-[^/]+|@vue/[^/]+)(?:/|$)',
          '(?:^|/)@luna/(?:server|ui)(?:/|$)',
          '^packages/(?!core/)',
        ],
      },
    },
    {
      name: 'law-ui-takes-only-types-from-core',
      comment: "The UI talks to Luna over HTTP; from core it takes types alone: import type { … } from '@luna/core/…'.",
      severity: 'error',
      from: { path: '^packages/ui/' },
      to: { path: ['^packages/core/', '(?:^|/)@luna/core(?:/|$)'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'law-ui-stands-alone',
      comment: 'The UI does not import the server.',
      severity: 'error',
      from: { path: '^packages/ui/' },
      to: { path: ['^packages/(?:server|create-luna)/', '(?:^|/)@luna/server(?:/|$)'] },
    },
    {
      name: 'law-core-is-entered-by-subpath',
      comment: "Other packages import core by a subpath: '@luna/core/tools', not '@luna/core' or a path into its src.",
      severity: 'error',
      from: { path: '^(?:packages/(?!core/)|examples/|bench/|test/)' },
      to: {
        path: ['^packages/core/src/', '^packages/core/dist/index\\.', '^@luna/core$'],
        dependencyTypesNot: ['aliased'],
      },
    },
    {
      name: 'law-no-circles',
      comment: 'No circular imports: move what both need into a file of its own.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'law-tests-are-not-shipped',
      comment: 'Shipped code does not import tests.',
      severity: 'error',
      from: { path: '^packages/[^/]+/src/', pathNot: test },
      to: { path: [test, '^test/', '^packages/[^/]+/test/'] },
    },
    {
      name: 'law-dependencies-are-declared',
      comment: "A package imports only what its own package.json lists; another package's dependency may go away.",
      severity: 'error',
      from: { path: '^packages/(?:core|server|create-luna)/src/', pathNot: test },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'npm-dev'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: ['(?:^|/)node_modules/', '(?:^|/)dist/'] },
    tsPreCompilationDeps: true,
    // Finds @luna/core/* in its sources, so that nothing need be built first.
    tsConfig: { fileName: '.dependency-cruiser.tsconfig.json' },
    combinedDependencies: false,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'default'],
      extensions: ['.ts', '.mts', '.js', '.mjs', '.vue', '.json'],
    },
  },
};
