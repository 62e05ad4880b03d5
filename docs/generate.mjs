// Writes the reference pages that are made from the code: node docs/generate.mjs, or with --check to compare only.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const docs = dirname(fileURLToPath(import.meta.url));
const packages = join(docs, '..', 'packages');
const core = (/** @type {string} */ room) =>
  import(pathToFileURL(join(packages, 'core', 'dist', room, 'index.js')).href);

const { lunaErrorCodes } = await core('errors');
const { masterConfigJsonSchema } = await core('config');

const pages = {
  'reference/errors.md': errorsPage(),
  'reference/configuration.md': configurationPage(),
  'reference/command-line.md': commandLinePage(),
};

let stale = 0;
for (const [path, text] of Object.entries(pages)) {
  const file = join(docs, path);
  if (!process.argv.includes('--check')) writeFileSync(file, text);
  else if (readFileSync(file, 'utf8') !== text) {
    stale++;
    console.error(`docs/${path} does not say what the code says. Run: node docs/generate.mjs`);
  }
}
process.exitCode = stale > 0 ? 1 : 0;

function errorsPage() {
  const rows = Object.entries(lunaErrorCodes).map(([code, meaning]) => `| \`${code}\` | ${meaning} |`);
  return `# Errors\n\nEvery error of Luna is a \`LunaError\` with one of these codes. Codes are stable, messages are not.\n\n| code | meaning |\n| --- | --- |\n${rows.join('\n')}\n`;
}

function configurationPage() {
  const schema = masterConfigJsonSchema();
  const lines = rowsOf(schema, '');
  return `# master_config.json\n\nAll settings of a home. Comments and trailing commas are allowed, and keys that Luna does not know are kept. Edit the\nfile at any time: a running Luna takes over what differs, and nothing else is touched.\n\n| key | type | default | meaning |\n| --- | --- | --- | --- |\n${lines.join('\n')}\n\n\`GET /api/supervisor/config/schema\` answers the same as JSON Schema, for editors.\n`;
}

/**
 * @param {any} schema
 * @param {string} path
 * @returns {string[]}
 */
function rowsOf(schema, path) {
  const rows = path === '' ? [] : [rowOf(schema, path)];
  for (const [key, property] of Object.entries(schema.properties ?? {}))
    rows.push(...rowsOf(property, path === '' ? key : `${path}.${key}`));
  const { additionalProperties: entry } = schema;
  if (entry?.properties && Object.keys(entry.properties).length > 0) rows.push(...rowsOf(entry, `${path}.<name>`));
  return rows;
}

/**
 * @param {any} schema
 * @param {string} path
 */
function rowOf(schema, path) {
  const type = schema.enum
    ? schema.enum.map((/** @type {string} */ choice) => `\`${choice}\``).join(', ')
    : (schema.type ?? 'any');
  const isSimple = schema.default !== undefined && typeof schema.default !== 'object';
  const meaning = (schema.description ?? '').replaceAll('|', '\\|').replaceAll('<', '&lt;');
  return `| \`${path}\` | ${type} | ${isSimple && schema.default !== '' ? `\`${schema.default}\`` : ''} | ${meaning} |`;
}

function commandLinePage() {
  const luna = (/** @type {string[]} */ ...args) =>
    execFileSync(process.execPath, [join(packages, 'server', 'bin', 'luna.mjs'), ...args], {
      encoding: 'utf8',
      env: { ...process.env, COLUMNS: '100' },
    }).trim();
  const overview = luna('--help');
  const commands = [...overview.matchAll(/^ {2}([a-z]+) \[options\]/gm)].map(([, name]) => name ?? '');
  const parts = commands.map((name) => `## luna ${name}\n\n\`\`\`\n${luna(name, '--help')}\n\`\`\`\n`);
  return `# The luna command\n\n\`\`\`\n${overview}\n\`\`\`\n\n${parts.join('\n')}`;
}
