import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { clientKinds, connectHttp } from './support/clients.ts';
import { eventually } from './support/eventually.ts';
import { homeOf } from './support/homes.ts';
import { luna as command, type RunningLuna, startLuna } from './support/luna-process.ts';
import { startNotingServer } from './support/noting-server.ts';

/** Odd on purpose: JSON writes it otherwise than it is. */
const inEnv = 'canary-"env"-\\4711';
const inHeader = 'canary-header-4712';
const inBearer = 'canary-bearer-4713';
const inUrl = 'canary-url-4714';
const inArgument = 'canary-argument-4715';
const canaries = [inEnv, JSON.stringify(inEnv).slice(1, -1), inHeader, inBearer, inUrl, inArgument];

async function allLogs({ home }: RunningLuna): Promise<string> {
  const folder = join(home, 'logs');
  const texts = await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8')));
  return texts.join('\n');
}

test('a secret is found in no log, error or process argument, whoever quotes it', async () => {
  const server = await startNotingServer();
  const luna = await startLuna(
    await homeOf({
      '.env': `UPSTREAM_KEY='${inEnv}'\nAUTH_TOKEN=plain-token\n`,
      'master_config.json': JSON.stringify({
        remote_mcp_servers: {
          noting: {
            url: `${server.url}?api_key=${inUrl}`,
            headers: { 'x-env': '${UPSTREAM_KEY}', 'x-api-key': inHeader, authorization: `Bearer ${inBearer}` },
          },
        },
      }),
      'extensions/loud/tools/loud_tools.js': `export const TOOLS = [{
        name: 'shout', description: 'Prints.',
        handler: (args) => { console.log('printed', process.env.PATH, ${JSON.stringify(inEnv)}); throw new Error('thrown ' + JSON.stringify(args)); },
      }];\n`,
    }),
    { env: { LUNA_LOG_LEVEL: 'trace' } },
  );
  const args = {
    api_key: inArgument,
    nested: { password: inArgument, list: [{ tokens: [inArgument] }] },
    plain: 'seen',
  };
  const errors: string[] = [];
  for (const kind of clientKinds) {
    const client = await connectHttp(kind, luna);
    errors.push(
      await client.call('tell', args).then(
        () => Promise.reject(new Error('It should have failed.')),
        (thrown) => `${thrown.message} ${JSON.stringify(thrown)}`,
      ),
    );
    await client.call('shout', args).catch(() => undefined);
  }
  const post = (path: string, token: string | undefined, body: object) =>
    fetch(luna.url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }).then((answer) => answer.text());
  const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'tell', arguments: args } };
  errors.push(await post('/mcp', 'plain-token', call));
  errors.push(
    await post('/api/supervisor/tools/call', (await luna.env()).SUPERVISOR_API_TOKEN, { name: 'tell', args }),
  );
  // The server did get what it should.
  expect(server.calls.at(-1)).toMatchObject({
    'x-env': inEnv,
    'x-api-key': inHeader,
    authorization: `Bearer ${inBearer}`,
  });
  for (const error of errors) {
    expect(error).toContain('seen');
    for (const canary of canaries) expect(error).not.toContain(canary);
  }
  const status = await (await luna.api('GET', 'status')).text();
  for (const canary of canaries) expect(status).not.toContain(canary);

  await eventually(async () => {
    const log = await allLogs(luna);
    expect(log).toContain('printed');
    expect(log).toContain('I was given');
  });
  const { stdout: processes } = await promisify(execFile)('ps', ['-eo', 'args', '-ww']);
  const said = luna.output();
  expect(await luna.stop()).toBe(0);
  const shown = await command(['logs', '--home', luna.home, '--lines', '1000']);
  expect(shown.stdout).toContain('I was given');
  expect(shown.stdout).toContain('thrown {"api_key":"•••"');
  for (const text of [await allLogs(luna), processes, said.stdout, said.stderr, shown.stdout])
    for (const canary of canaries) expect(text).not.toContain(canary);
});
