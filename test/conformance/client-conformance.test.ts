import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runClientScenario } from './run-suite.ts';

const program = fileURLToPath(new URL('./client.ts', import.meta.url));

/** The scenarios of the official suite for clients, but those of authorization, which need a person. */
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

test.each(scenarios)('as a client, %s: %s', { timeout: 60_000 }, async (revision, scenario) => {
  const { exitCode, checks } = await runClientScenario(program, scenario, revision);
  expect(checks.filter(({ status }) => status === 'FAILURE' || status === 'WARNING')).toEqual([]);
  expect(checks.some(({ status }) => status === 'SUCCESS')).toBe(true);
  expect(exitCode).toBe(0);
});
