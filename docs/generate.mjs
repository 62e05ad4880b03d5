// Writes what the texts take from the code: the reference pages that are made from it, and the programs in README.md
// that are files elsewhere. `node docs/generate.mjs` writes, `node docs/generate.mjs --check` compares and exits with 1.
// The packages must be built.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { apiPage } from './api-page.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
/** @param {string} path */
const built = (path) => import(pathToFileURL(join(root, 'packages', path)).href);
/** @param {string} path */
const read = (path) => readFileSync(join(root, path), 'utf8');

const { LunaError, lunaErrorCodes } = await built('core/dist/errors/index.js');
const { masterConfigJsonSchema } = await built('core/dist/config/index.js');
const { lunaEvent } = await built('core/dist/control/index.js');
const { z } = await import('zod');
const { toRpcError } = await built('core/dist/hub/index.js');
const { toHttpError } = await built('server/dist/http-errors.js');
const { commandNames, lunaProgram } = await built('server/dist/cli/program.js');
const program = await lunaProgram(commandNames);

const texts = {
  'README.md': withPrograms(read('README.md')),
  'docs/reference/errors.md': errorsPage(),
  'docs/reference/configuration.md': configurationPage(),
  'docs/reference/events.md': eventsPage(),
  'docs/reference/command-line.md': commandLinePage(),
  'docs/reference/api.md': await apiPage(built),
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
| control routes | \`{ "error": { "code", "message", "details"?, "requestId" } }\` with the HTTP status above. What the log says of the request has the same id |
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
    return [{ path: whole, schema: value }, ...settingsOf(value, whole)];
  });
}

function eventsPage() {
  const { oneOf = [] } = z.toJSONSchema(lunaEvent);
  const types = oneOf.map((/** @type {any} */ event) => {
    const { type, ...fields } = event.properties;
    const rows = Object.entries(fields).map(([name, field]) => {
      const must = event.required.includes(name) ? '' : 'may be left out';
      return [
        `\`${name}\``,
        fieldType(field),
        [field.description?.replace(/\.$/, ''), must].filter(Boolean).join('; '),
      ];
    });
    const body = rows.length > 0 ? table(['field', 'type', ''], rows) : 'It has no fields but `type`.';
    return `## ${type.const}\n\n${event.description}\n\n${body}\n`;
  });
  return `# Events

\`GET /api/supervisor/events\` is a stream of server-sent events, for an administrator: a session, or the
\`SUPERVISOR_API_TOKEN\` as bearer token.

<<< ../snippets/events.sh

Each event is one line of JSON in \`data\`. Its \`type\` is also the name of the event:

\`\`\`
event: source.changed
data: {"type":"source.changed","source":"notes","kind":"extension","status":"ready","before":"starting"}
\`\`\`

## What to rely on

- Events say **that** something changed. Most do not say what it is now: ask the route that shows it.
- They have no ids, and nothing is told twice. A browser that connects anew sends no \`Last-Event-ID\`, and would be told
  nothing of the time between: whoever gets \`hello\` asks for the state that it wants to know.
- Every 15 seconds comes a comment, so that proxies do not take a quiet stream for a dead one.
- A reader that does not read is let go once a megabyte waits for it. It connects anew, as after any end.
- 100 streams of events and logs may be open at one time. The next one is refused with 429.
- There may be further types in a later version: pass over what you do not know.

${types.join('\n')}`;
}

/**
 * The type of a field in words.
 * @param {any} field
 * @returns {string}
 */
function fieldType(field) {
  if (field.const !== undefined) return `\`${field.const}\``;
  if (field.enum) return field.enum.map((/** @type {string} */ one) => `\`${one}\``).join(', ');
  if (field.type === 'array') return `array of ${fieldType(field.items ?? {})}`;
  if (field.properties) {
    const names = Object.keys(field.properties).map((name) => {
      return `\`${name}\`${field.required?.includes(name) ? '' : '?'}`;
    });
    return `object: ${names.join(', ')}`;
  }
  return field.type ?? 'any';
}

/** @param {{ path: string, schema: any }} setting */
function rowOf({ path, schema }) {
  const choices = schema.enum?.map((/** @type {string} */ choice) => `\`${choice}\``).join(', ');
  const hasDefault = schema.default !== undefined && schema.default !== '' && typeof schema.default !== 'object';
  const meaning = schema.description ?? '';
  const cell = meaning.replaceAll('|', '\\|').replaceAll('<', '&lt;');
  return [`\`${path}\``, choices ?? schema.type ?? 'any', hasDefault ? `\`${schema.default}\`` : '', cell];
}

function commandLinePage() {
  const parts = program.commands.flatMap((/** @type {any} */ command) =>
    [command, ...command.commands].map((one) => {
      const name = one === command ? command.name() : `${command.name()} ${one.name()}`;
      return `## luna ${name}\n\n\`\`\`\n${help(one)}\n\`\`\`\n`;
    }),
  );
  return `# The luna command

In a home that \`create-luna\` wrote, and in the repository, run it as \`npx luna\`, or in such a home as \`./luna.sh\` from
anywhere. Most commands talk to the Luna that runs on the home. \`import\`, \`keys\`, \`export\`, \`apply\`, \`backup\` and
\`doctor\` work without one too; \`restore\` wants none.

\`\`\`
${help(program)}
\`\`\`

Exit codes: 0 when it went well; 1 for an error, which stands on standard error in one line; 2 when \`luna call\` got a
result that says that the tool failed. \`luna doctor\` exits with 1 when there is a problem, \`luna keys required\` when a key
is missing.

${parts.join('\n')}`;
}

/**
 * What `--help` of a command shows in a terminal of 80 columns.
 * @param {any} command
 */
function help(command) {
  let text = '';
  command.configureOutput({
    getOutHelpWidth: () => 80,
    getOutHasColors: () => false,
    writeOut: (/** @type {string} */ part) => {
      text += part;
    },
  });
  command.outputHelp();
  return text.trim();
}
