import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * The page of all routes with what they take and answer, from the OpenAPI document of a Luna on an empty home.
 * @param {(path: string) => Promise<any>} built loads a built file of the packages
 */
export async function apiPage(built) {
  const document = await documentOf(built);
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([method]) => method !== 'parameters')
      .map(([method, operation]) => ({ path, method, ...operation })),
  );
  const groups = document.tags.flatMap((/** @type {{ name: string, description?: string }} */ tag) => {
    const own = operations.filter(({ tags }) => tags?.includes(tag.name));
    const title = tag.name.charAt(0).toUpperCase() + tag.name.slice(1).replaceAll('-', ' ');
    return own.length === 0 ? [] : [`## ${title}\n\n${tag.description ?? ''}\n\n${own.map(operationText).join('\n')}`];
  });
  const schemas = Object.entries(document.components.schemas).map(
    ([name, schema]) => `### ${name}\n\n${fieldsOf(schema).join('\n') || `${typeOf(schema)}`}\n`,
  );
  return `# Routes in detail

Made from what the routes check. The same as OpenAPI 3.1, for programs: \`GET /api/openapi.json\`, with a session or the
\`SUPERVISOR_API_TOKEN\`. What the routes are for stands in [HTTP routes](http.md), codes of errors in [Errors](errors.md).
\`?\` marks what may be left out.

${groups.join('\n')}
## Schemas

${schemas.join('\n')}`;
}

/** @param {(path: string) => Promise<any>} built */
async function documentOf(built) {
  const { createLuna } = await built('core/dist/control/index.js');
  const { assembleApp } = await built('server/dist/app.js');
  const { openApiDocument } = await built('server/dist/openapi.js');
  const home = mkdtempSync(join(tmpdir(), 'luna-docs-'));
  const luna = await createLuna({ home, version: '0.0.0' });
  try {
    const address = { host: 'localhost', url: 'http://localhost', local: 'http://localhost' };
    const { routes } = assembleApp(luna, {
      sessionSecret: 'of no use',
      links: {},
      address,
      // Some routes are there for whoever brings these.
      lifecycle: { canRestart: true, end: () => undefined },
      coreUpdater: {},
    });
    return openApiDocument(routes, luna.version);
  } finally {
    await luna.close();
    rmSync(home, { recursive: true });
  }
}

const credentials = {
  session: 'a session',
  supervisorToken: '`SUPERVISOR_API_TOKEN`',
  agentKey: '`AGENT_API_KEY`',
  hubKey: 'the key of the hub',
  accessToken: 'an access token',
  plainToken: '`AUTH_TOKEN`',
};

/** @param {any} operation */
function operationText({ method, path, summary, description, security = [], parameters = [], requestBody, responses }) {
  const who = security.map((/** @type {object} */ way) =>
    Object.keys(way).map((name) => credentials[/** @type {keyof typeof credentials} */ (name)] ?? name),
  );
  const body = requestBody?.content?.['application/json']?.schema;
  const lines = [
    `### ${method.toUpperCase()} ${path.replaceAll('{', '&#123;').replaceAll('}', '&#125;')}`,
    `${summary.replace(/\.$/, '')}.${description ? ` ${plain(description)}` : ''}`,
    `For ${who.length === 0 ? 'everyone' : who.flat().join(' or ')}.`,
  ];
  const inQuery = parameters.filter((/** @type {any} */ one) => one.in === 'query');
  if (inQuery.length > 0) lines.push(`Query:\n\n${inQuery.map(parameterText).join('\n')}`);
  if (body) lines.push(`Body: ${shownType(body)}\n\n${fieldsOf(body).join('\n')}`.trim());
  const answers = Object.entries(responses).filter(([status]) => status !== 'default');
  lines.push(answers.map(answerText).join('\n'));
  return `${lines.join('\n\n')}\n`;
}

/** @param {any} parameter */
function parameterText({ name, required, schema }) {
  return `- \`${name}${required ? '' : '?'}\` ${shownType(schema)}${schema.description ? `: ${plain(schema.description)}` : ''}`;
}

/** @param {[string, any]} answer */
function answerText([status, { description, content = {} }]) {
  const [[media, { schema } = { schema: undefined }] = []] = Object.entries(content).map(
    ([type, value]) => /** @type {[string, any]} */ ([type, value]),
  );
  if (media === undefined || schema === undefined) return `- **${status}** ${description}`;
  const what = media === 'application/json' ? shownType(schema) : `\`${media}\``;
  const fields = schema.$ref ? [] : fieldsOf(schema).map((line) => `  ${line}`);
  return [`- **${status}** ${description} ${what}`, ...fields].join('\n');
}

/**
 * A line for each field of an object.
 * @param {any} schema
 * @returns {string[]}
 */
function fieldsOf(schema) {
  return Object.entries(schema.properties ?? {}).map(([name, value]) =>
    parameterText({ name, required: schema.required?.includes(name), schema: value }),
  );
}

/** @param {any} schema */
function shownType(schema) {
  const name = nameOf(schema) ?? nameOf(schema.items);
  if (name === undefined) return typeOf(schema);
  return `[${name}](#${name.toLowerCase()})${schema.items ? '[]' : ''}`;
}

/**
 * @param {any} schema
 * @returns {string}
 */
function typeOf(schema) {
  if (nameOf(schema)) return nameOf(schema) ?? '';
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum) return schema.enum.map((/** @type {unknown} */ one) => `\`${JSON.stringify(one)}\``).join(' or ');
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return [...new Set(choices.map(typeOf))].join(' or ');
  if (schema.type === 'array') return `${typeOf(schema.items ?? {})}[]`;
  return Array.isArray(schema.type) ? schema.type.join(' or ') : (schema.type ?? 'any');
}

/** @param {any} schema */
function nameOf(schema) {
  return /** @type {string | undefined} */ (schema?.$ref)?.split('/').at(-1);
}

/** @param {string} text */
function plain(text) {
  return text.replaceAll('<', '&lt;').replaceAll('{{', '&#123;&#123;');
}
