// Writes what the texts take from the code: the reference pages that are made from it, and the programs in README.md
// that are files elsewhere. `node docs/generate.mjs` writes, `node docs/generate.mjs --check` compares and exits with 1.
// The packages must be built.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
/** @param {string} path */
const built = (path) => import(pathToFileURL(join(root, 'packages', path)).href);
/** @param {string} path */
const read = (path) => readFileSync(join(root, path), 'utf8');

const { LunaError, lunaErrorCodes } = await built('core/dist/errors/index.js');
const { masterConfigJsonSchema } = await built('core/dist/config/index.js');
const { toRpcError } = await built('core/dist/hub/index.js');
const { toHttpError } = await built('server/dist/http-errors.js');

/** Settings that have their place already, for other programs that write the file; nothing of Luna reads them yet. */
const notRead = [
  'luna.default_llm',
  'deployment_mode',
  'tool_configs.<name>.passthrough',
  'agent_presets',
  'port_assignments',
  'external_services',
];

const texts = {
  'README.md': withPrograms(read('README.md')),
  'docs/reference/errors.md': errorsPage(),
  'docs/reference/configuration.md': configurationPage(),
  'docs/reference/command-line.md': commandLinePage(),
};

const check = process.argv.includes('--check');
for (const [path, text] of Object.entries(texts)) {
  if (existsSync(join(root, path)) && read(path) === text) continue;
  if (!check) {
    writeFileSync(join(root, path), text);
    console.log(`wrote ${path}`);
    continue;
  }
  console.error(`${path} does not say what the code says. Run: node docs/generate.mjs`);
  process.exitCode = 1;
}

/**
 * A text with the block below each `<!-- code: FILE -->` being that file.
 * @param {string} text
 */
function withPrograms(text) {
  const block = /(<!-- code: (\S+) -->\n```\w+\n)[\s\S]*?(```\n)/g;
  return text.replace(block, (_all, before, path, after) => before + read(path) + after);
}

/**
 * A table of Markdown.
 * @param {string[]} head
 * @param {string[][]} rows
 */
function table(head, rows) {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

function errorsPage() {
  const rows = Object.entries(lunaErrorCodes).map(([code, meaning]) => {
    const error = new LunaError(code, '');
    return [`\`${code}\``, meaning, String(toHttpError(error).status), String(toRpcError(error).code)];
  });
  return `# Errors

Every error of Luna has one of these codes. Test for the code: it stays the same, while the message is for people and may
be worded better in the next version.

${table(['code', 'meaning', 'HTTP', 'JSON-RPC'], rows)}

## Where you meet them

| where | how it looks |
| --- | --- |
| control routes | \`{ "error": { "code", "message", "details"? } }\` with the HTTP status above |
| a hub | a JSON-RPC error with the number above, and the code in \`data.code\`. An error of an MCP server comes as that server sent it |
| \`luna …\` | \`luna: message\` on standard error and exit code 1; with \`--json\` the object above, in which \`upstream_error\` stands for whatever the running Luna refused. \`luna call\` exits with 2 when the tool itself reports a failure |
| in a program | a \`LunaError\` of \`@luna/core/errors\` with \`code\`, \`message\`, \`details\` and \`cause\` |

A tool that fails does not make an error of this kind: it returns a result with \`isError\`, so that the model reads the
reason. What a model sends as arguments and does not fit is answered so too.

The text of an \`internal\` error stays in \`logs/luna.log\`; over HTTP it only says where to look.
`;
}

function configurationPage() {
  const settings = settingsOf(masterConfigJsonSchema(), '');
  const gone = notRead.find((path) => !settings.some((setting) => setting.path === path));
  if (gone) throw new Error(`There is no setting ${gone}: take it out of notRead in docs/generate.mjs.`);
  return `# master_config.json

All settings of a home, in one file. Edit it at any time: a running Luna takes over what differs and touches nothing
else. Comments and trailing commas are allowed. Keys that Luna does not know are kept, as is the order.

${table(['key', 'type', 'default', 'meaning'], settings.map(rowOf))}

If the file is wrong, a running Luna says so with line and column, goes on with the last good content, and writes nothing
until you have repaired it. A Luna that starts on a wrong file ends, and leaves the file as it is.

A home that brings \`master_config.example.json\` gets its first \`master_config.json\` from there. Keep that one under
version control, and not the other, which holds the keys of hubs.

\`GET /api/supervisor/config/schema\` answers the same as JSON Schema, for an editor that completes and checks.
`;
}

/**
 * Each key of a schema, and of what it holds, in order.
 * @param {any} schema
 * @param {string} path
 * @returns {{ path: string, schema: any }[]}
 */
function settingsOf(schema, path) {
  const entry = schema.additionalProperties;
  const hasKeys = Object.keys(entry?.properties ?? {}).length > 0;
  const inner = { ...schema.properties, ...(hasKeys && { '<name>': entry }) };
  return Object.entries(inner).flatMap(([key, value]) => {
    const whole = path === '' ? key : `${path}.${key}`;
    return [{ path: whole, schema: value }, ...(notRead.includes(whole) ? [] : settingsOf(value, whole))];
  });
}

/** @param {{ path: string, schema: any }} setting */
function rowOf({ path, schema }) {
  const choices = schema.enum?.map((/** @type {string} */ choice) => `\`${choice}\``).join(', ');
  const hasDefault = schema.default !== undefined && schema.default !== '' && typeof schema.default !== 'object';
  const meaning = notRead.includes(path) ? 'Nothing reads it yet.' : (schema.description ?? '');
  const cell = meaning.replaceAll('|', '\\|').replaceAll('<', '&lt;');
  return [`\`${path}\``, choices ?? schema.type ?? 'any', hasDefault ? `\`${schema.default}\`` : '', cell];
}

function commandLinePage() {
  const overview = help();
  const parts = commandsIn(overview).flatMap((name) => {
    const own = help(name);
    const inner = commandsIn(own).map((sub) => `${name} ${sub}`);
    return [name, ...inner].map((command) => `## luna ${command}\n\n\`\`\`\n${help(...command.split(' '))}\n\`\`\`\n`);
  });
  return `# The luna command

In a home that \`create-luna\` wrote, and in the repository, run it as \`npx luna\`, or in such a home as \`./luna.sh\` from
anywhere. All commands but \`start\`, \`import\` and \`help\` talk to the Luna that runs on the home.

\`\`\`
${overview}
\`\`\`

Exit codes: 0 when it went well; 1 for an error, which stands on standard error in one line; 2 when \`luna call\` got a
result that says that the tool failed.

${parts.join('\n')}`;
}

/**
 * The names that a help text lists as commands.
 * @param {string} text
 */
function commandsIn(text) {
  const [, list = ''] = text.split('\nCommands:\n');
  return [...list.matchAll(/^ {2}([a-z]+) /gm)].map(([, name = '']) => name).filter((name) => name !== 'help');
}

/** @param {string[]} command */
function help(...command) {
  const own = join(root, 'node_modules/.bin/node');
  const luna = [join(root, 'packages/server/bin/luna.mjs'), ...command, '--help'];
  return execFileSync(existsSync(own) ? own : process.execPath, luna, { encoding: 'utf8' }).trim();
}
