import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import $RefParser from '@apidevtools/json-schema-ref-parser';
import { createLuna } from '@luna/core/control';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { Middleware } from 'koa';
import { expect, onTestFinished, test } from 'vitest';
import { assembleApp } from '../../packages/server/src/app.ts';
import { SignInLinks } from '../../packages/server/src/auth/sign-in-links.ts';
import { CoreUpdater } from '../../packages/server/src/core-update/index.ts';
import { otherSurfaces } from '../../packages/server/src/openapi-surfaces.ts';
import { PublicAddress } from '../../packages/server/src/public-address.ts';
import { fixedTool, homeOf, put, stdioServer } from './support/homes.ts';
import { repository, startLuna, temporaryFolder } from './support/luna-process.ts';

interface Operation {
  operationId?: string;
  summary?: string;
  tags?: string[];
  responses?: Record<string, { content?: Record<string, { schema?: object }> }>;
}

interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object> };
}

/** Routes of the app that are not in the document, each with the reason. */
const leftOut: Record<string, string> = {
  'GET /auth/consent/{id}': 'a page for people',
  'POST /auth/consent/{id}': 'the form of that page',
  'GET /auth/page.css': 'the style of that page',
};

async function assembled() {
  const luna = await createLuna({ home: await temporaryFolder(), version: '0.0.0' });
  onTestFinished(() => luna.close());
  const address = new PublicAddress({
    config: () => luna.config.config,
    told: { publicUrl: undefined, deploymentMode: undefined, publicDomain: undefined },
  });
  address.local = 'http://127.0.0.1:1';
  const lifecycle = { canRestart: true, end: () => undefined };
  return assembleApp(luna, {
    sessionSecret: 'a secret of cookies',
    links: new SignInLinks(),
    address,
    lifecycle,
    coreUpdater: new CoreUpdater({ home: luna.paths.root, lifecycle }),
  });
}

/** What Koa itself would answer: each layer of each router that the app uses. */
function servedBy(middleware: readonly Middleware[]): string[] {
  return middleware.flatMap((layer) => {
    const router: { stack: { path: string | RegExp; methods: string[] }[] } | undefined = Reflect.get(layer, 'router');
    return (router?.stack ?? []).flatMap(({ path, methods }) =>
      methods
        .filter((method) => method !== 'HEAD')
        .map((method) => `${method} ${String(path).replaceAll(/:(\w+)/g, '{$1}')}`),
    );
  });
}

/** With each reference replaced by what it leads to. Throws for one that leads nowhere. */
async function resolvedOf(document: Document): Promise<Document> {
  const whole: unknown = structuredClone(document);
  await $RefParser.dereference(whole as object);
  return whole as Document;
}

async function documentOf(running: Awaited<ReturnType<typeof startLuna>>): Promise<Document> {
  const { SUPERVISOR_API_TOKEN } = await running.env();
  const headers = { authorization: `Bearer ${SUPERVISOR_API_TOKEN}` };
  return (await fetch(`${running.url}/api/openapi.json`, { headers })).json();
}

test('every route that the app answers is in the document, or has a reason not to be', async () => {
  const { koa, routes } = await assembled();
  const documented = new Set(routes.map(({ method, path }) => `${method.toUpperCase()} ${path}`));
  const served = servedBy(koa.middleware);
  expect(served.length).toBeGreaterThan(40);
  expect(served.filter((route) => !documented.has(route) && !Object.hasOwn(leftOut, route))).toEqual([]);
  // A reason for what is not there any more is taken out.
  expect(Object.keys(leftOut).filter((route) => !served.includes(route))).toEqual([]);
});

test('every route says what it does, under a name of its own', async () => {
  const { routes } = await assembled();
  for (const { method, path, summary, tag, params } of routes) {
    expect([method, path, summary.length > 3, tag.length > 0]).toEqual([method, path, true, true]);
    const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const checked = Object.keys((params as { shape?: object } | undefined)?.shape ?? {});
    expect([path, checked.sort()]).toEqual([path, named.sort()]);
  }
});

test('what answers in front of the routes is there too', async () => {
  const running = await startLuna(await homeOf({ '.env': 'AUTH_TOKEN=a-token-of-tests\n' }));
  const { paths } = await documentOf(running);
  for (const path of Object.keys(otherSurfaces)) {
    expect(Object.keys(paths)).toContain(path);
    // Each is really answered, and not by what is left when no route fits.
    const url = running.url + path.replace('{name}', 'default');
    const [method = 'get'] = Object.keys(otherSurfaces[path] ?? {});
    const answer = await fetch(url, { method, redirect: 'manual', ...(method === 'post' && { body: '{}' }) });
    expect([path, await answer.text()]).toEqual([
      path,
      expect.not.stringMatching(/There is nothing at|<div id="app">/),
    ]);
  }
  const source = await readFile(join(repository, 'packages/server/src/app.ts'), 'utf8');
  const faces = [...source.matchAll(/\{ route: '([^']+)', answer: /g)].map(([, route = '']) => route);
  expect(faces.length).toBeGreaterThan(3);
  for (const face of faces.filter((route) => route !== '(oauth)'))
    expect([face, Object.keys(otherSurfaces).some((path) => path.startsWith(face))]).toEqual([face, true]);
});

test('the document is for administrators, and a sound one: each reference leads somewhere, each schema compiles', async () => {
  const running = await startLuna(await homeOf({}));
  expect((await fetch(`${running.url}/api/openapi.json`)).status).toBe(401);
  const document = await documentOf(running);
  expect(document.openapi).toBe('3.1.0');
  const resolved = await resolvedOf(document);
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  const ids: string[] = [];
  for (const [path, operations] of Object.entries(resolved.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      if (method === 'parameters') continue;
      if (operation.operationId) ids.push(operation.operationId);
      expect([path, method, Object.keys(operation.responses ?? {}).length > 0]).toEqual([path, method, true]);
      for (const { content } of Object.values(operation.responses ?? {}))
        for (const { schema } of Object.values(content ?? {})) if (schema) ajv.compile(schema);
    }
  }
  expect(new Set(ids).size).toBe(ids.length);
  expect(Object.keys(document.components.schemas)).toContain('StatusView');
});

test('what a running Luna answers fits what the document says', async () => {
  const running = await startLuna(
    await homeOf({
      'extensions/greet/tools/greet_tools.js': fixedTool('greet', 'hello'),
      'extensions/broken/tools/broken_tools.js': 'this is no code',
      'plugins/hi/cli.sh': '#!/bin/sh\necho "usage: hi [-h] [--name NAME]"\n',
      'master_config.json': JSON.stringify({ remote_mcp_servers: { small: stdioServer } }),
    }),
  );
  await put(running.home, 'lua/one/main.lua', 'return 1');
  const document = await documentOf(running);
  const resolved = await resolvedOf(document);
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  const ask = async (method: string, path: string, body?: unknown, at = path) => {
    const response = await running.api(method, path, body);
    const operation = resolved.paths[`/api/supervisor/${at}`]?.[method.toLowerCase()];
    const described = operation?.responses?.[String(response.status)] ?? operation?.responses?.default;
    expect([at, method, described !== undefined]).toEqual([at, method, true]);
    const schema = described?.content?.['application/json']?.schema;
    if (response.status === 204) return expect(schema).toBeUndefined();
    const answer = await response.json();
    const fits = ajv.compile(schema ?? false);
    expect([at, method, fits(answer) || fits.errors]).toEqual([at, method, true]);
    return answer;
  };
  // Every GET without parameters, so that new ones are looked at too.
  for (const [path, operations] of Object.entries(resolved.paths)) {
    const content = Object.keys(operations.get?.responses?.['200']?.content ?? {});
    if (!path.startsWith('/api/supervisor/') || path.includes('{') || !content.includes('application/json')) continue;
    await ask('GET', path.replace('/api/supervisor/', ''));
  }
  await ask('POST', 'mcp-servers', { name: 'another' });
  await ask('POST', 'mcp-servers', { name: 'NO' });
  await ask('GET', 'mcp-servers/another/clients', undefined, 'mcp-servers/{name}/clients');
  await ask('PATCH', 'mcp-servers/another', { all_tools: false }, 'mcp-servers/{name}');
  await ask('POST', 'mcp-servers/another/regenerate-key', {}, 'mcp-servers/{name}/regenerate-key');
  await ask('DELETE', 'mcp-servers/another', undefined, 'mcp-servers/{name}');
  await ask('POST', 'tools/call', { name: 'greet' });
  await ask('POST', 'tools/call', { name: 'no such tool' });
  await ask('POST', 'sign-in-links', {});
  await ask('POST', 'extensions/greet/disable', {}, 'extensions/{name}/disable');
  await ask('POST', 'extensions/nobody/enable', {}, 'extensions/{name}/enable');
  await ask('POST', 'remote-mcp/small/test', {}, 'remote-mcp/{id}/test');
  await ask('POST', 'remote-mcp/add', { id: 'second', ...stdioServer });
  await ask('POST', 'remote-mcp/import', { mcpServers: { third: stdioServer, small: stdioServer } });
  await ask('POST', 'pinned-tools/approve', { server: 'small' });
  const config = await ask('GET', 'config/master');
  await ask('PUT', 'config/master', config);
});
