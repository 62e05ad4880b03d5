import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Served, startFixture, startHub } from './fixture-hub.ts';
import { type Check, runServerSuite } from './run-suite.ts';

/**
 * The official conformance suite on a server driven directly, and on a hub in front of that server: the hub must pass
 * what the server passes.
 */

let fixture: Served;
let hub: Served;

beforeAll(async () => {
  fixture = await startFixture();
  hub = await startHub(fixture.url);
});

afterAll(async () => {
  await hub?.close();
  await fixture?.close();
});

/** Tasks are an extension that neither offers. */
const isExtension = ({ scenario }: Check) => scenario.startsWith('tasks-');

/** Only to be seen at a server that closes the stream of an answer before the answer; a hub has no reason to. */
const ownToUpstream = 'server-sse-polling/server-sse-disconnect-resume';

function passed(checks: readonly Check[]): string[] {
  return checks
    .filter((check) => check.status === 'SUCCESS' && !isExtension(check))
    .map(({ scenario, id }) => `${scenario}/${id}`)
    .sort();
}

test.each(['2025-11-25', '2026-07-28'] as const)(
  '%s: nothing is lost on the way through a hub',
  { timeout: 120_000 },
  async (revision) => {
    const direct = await runServerSuite(fixture.url, revision);
    const through = await runServerSuite(hub.url, revision);
    for (const { exitCode, checks } of [direct, through]) {
      expect(checks.filter((check) => ['FAILURE', 'WARNING'].includes(check.status) && !isExtension(check))).toEqual(
        [],
      );
      expect(exitCode).toBe(0);
      expect(passed(checks).length).toBeGreaterThan(80);
    }
    expect(passed(through.checks)).toEqual(passed(direct.checks).filter((check) => check !== ownToUpstream));
  },
);
