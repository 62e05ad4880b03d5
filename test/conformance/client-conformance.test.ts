import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runClientScenario } from './run-suite.ts';

const program = fileURLToPath(new URL('./client.ts', import.meta.url));

/** The scenarios of the official suite for clients, but those of authorization, which follow below. */
const scenarios = [
  ['2025-11-25', 'initialize'],
  ['2025-11-25', 'tools_call'],
  ['2025-11-25', 'elicitation-sep1034-client-defaults'],
  ['2025-11-25', 'sse-retry'],
  ['2025-11-25', 'json-schema-2020-12-preservation'],
  ['2026-07-28', 'tools_call'],
  ['2026-07-28', 'request-metadata'],
  ['2026-07-28', 'sep-2322-client-request-state'],
  ['2026-07-28', 'http-standard-headers'],
  ['2026-07-28', 'http-custom-headers'],
  ['2026-07-28', 'http-invalid-tool-headers'],
  ['2026-07-28', 'json-schema-ref-no-deref'],
  ['2026-07-28', 'json-schema-2020-12-preservation'],
] as const;

test.each(scenarios)('as a client, %s: %s', async (revision, scenario) => {
  const { exitCode, checks } = await runClientScenario(program, scenario, revision);
  expect(checks.filter(({ status }) => status === 'FAILURE' || status === 'WARNING')).toEqual([]);
  expect(checks.some(({ status }) => status === 'SUCCESS')).toBe(true);
  expect(exitCode).toBe(0);
});

const authorizing = fileURLToPath(new URL('./authorizing-client.ts', import.meta.url));

/** A person authorizes Luna at a server. One check warns: Luna registers itself, and has no document as its client id. */
const authorizations = [
  ['2025-11-25', 'auth/metadata-default'],
  ['2025-11-25', 'auth/scope-step-up'],
  ['2026-07-28', 'auth/metadata-default'],
  ['2026-07-28', 'auth/metadata-var1'],
  ['2026-07-28', 'auth/metadata-var2'],
  ['2026-07-28', 'auth/metadata-var3'],
  ['2026-07-28', 'auth/basic-cimd'],
  ['2026-07-28', 'auth/scope-from-www-authenticate'],
  ['2026-07-28', 'auth/scope-from-scopes-supported'],
  ['2026-07-28', 'auth/scope-omitted-when-undefined'],
  ['2026-07-28', 'auth/scope-step-up'],
  ['2026-07-28', 'auth/scope-retry-limit'],
  ['2026-07-28', 'auth/token-endpoint-auth-basic'],
  ['2026-07-28', 'auth/token-endpoint-auth-post'],
  ['2026-07-28', 'auth/token-endpoint-auth-none'],
  ['2026-07-28', 'auth/pre-registration'],
  ['2026-07-28', 'auth/resource-mismatch'],
  ['2026-07-28', 'auth/offline-access-scope'],
  ['2026-07-28', 'auth/offline-access-not-supported'],
  ['2026-07-28', 'auth/authorization-server-migration'],
  ['2026-07-28', 'auth/iss-supported'],
  ['2026-07-28', 'auth/iss-not-advertised'],
  ['2026-07-28', 'auth/iss-supported-missing'],
  ['2026-07-28', 'auth/iss-wrong-issuer'],
  ['2026-07-28', 'auth/iss-unexpected'],
  ['2026-07-28', 'auth/iss-normalized'],
  ['2026-07-28', 'auth/metadata-issuer-mismatch'],
] as const;

test.concurrent.each(authorizations)('as a client, %s: %s', async (revision, scenario) => {
  const { checks } = await runClientScenario(authorizing, scenario, revision);
  expect(checks.filter(({ status }) => status === 'FAILURE')).toEqual([]);
  expect(checks.some(({ status }) => status === 'SUCCESS')).toBe(true);
});
