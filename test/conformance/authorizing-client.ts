import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLuna } from '@luna/core/control';
import { toLunaError } from '@luna/core/errors';

/**
 * The client that the authorization scenarios of the suite drive: a whole Luna with one server, which is the last
 * argument, and a person who agrees to everything in the browser.
 */

const url = process.argv.at(-1) ?? '';
const { client_id, client_secret } = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? '{}');
const redirectUrl = 'http://localhost:8766/auth/upstream/callback';

const home = await mkdtemp(join(tmpdir(), 'luna-conformance-'));
const server = { url, ...(client_id !== undefined && { oauth: { client_id, client_secret } }) };
await writeFile(join(home, 'master_config.json'), JSON.stringify({ remote_mcp_servers: { suite: server } }));
const luna = await createLuna({ home, version: '1.0.0', onLog: ({ line }) => console.error(line) });

const statusOfSource = () => luna.registry.source('suite')?.health().status;

/** Goes to the authorization server and comes back, as a browser does. */
async function agree(): Promise<void> {
  let at = new URL(await luna.authorizations.begin('suite', redirectUrl, 'person'));
  for (let hop = 0; hop < 5 && !at.href.startsWith(redirectUrl); hop++) {
    const { headers, status } = await fetch(at, { redirect: 'manual' });
    const location = headers.get('location');
    if (location === null) throw new Error(`${at} answered ${status}`);
    at = new URL(location, at);
  }
  const { state = '', code, iss, error } = Object.fromEntries(at.searchParams);
  await luna.authorizations.finish({ state, code, iss, error }, ['person']);
}

/** Calls every tool once; a server that wants more rights gets a person's consent to them, a few times. */
async function callAll(): Promise<void> {
  for (const name of luna.registry.tools().keys()) {
    for (let attempt = 0; ; attempt++) {
      try {
        await luna.pipeline.call({ name, args: {}, caller: { kind: 'cli' } });
        break;
      } catch (thrown) {
        const { code, message } = toLunaError(thrown);
        console.error(`${name}: ${message}`);
        if (attempt === 2 || (code !== 'forbidden' && code !== 'needs_authorization')) break;
        await agree();
      }
    }
  }
}

try {
  await luna.start();
  await luna.settled();
  // A server that changed whom it trusts wants it a second time.
  for (let time = 0; time < 2 && statusOfSource() === 'needs_authorization'; time++) {
    await agree();
    await luna.settled();
  }
  await callAll();
  const { status, reason } = luna.registry.source('suite')?.health() ?? {};
  if (status !== 'ready') throw new Error(reason);
} catch (thrown) {
  console.error(String(thrown));
  process.exitCode = 1;
} finally {
  await luna.close();
  await rm(home, { recursive: true, force: true });
}
