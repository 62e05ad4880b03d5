import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { eventually } from './support/eventually.ts';
import { homeOf, stdioServer } from './support/homes.ts';
import { luna, type RunningLuna, repository, startLuna } from './support/luna-process.ts';

const teller = `export const TOOLS = [{ name: 'tell', description: 'Tells the key.',
  handler: () => process.env.PET_KEY ?? 'none' }];\n`;
const files = {
  'extensions/pets/config.json': '{ "required_secrets": ["PET_KEY", "OTHER_KEY"] }',
  'extensions/pets/tools/pets_tools.js': teller,
  'lua/told/mcp_tool.json': '{ "description": "Tells.", "permissions": { "env": ["PET_KEY"] } }',
  'lua/told/main.lua': 'return env.get and env.get("PET_KEY") or env.PET_KEY or "none"',
  'master_config.json': JSON.stringify({
    remote_mcp_servers: {
      keyed: { ...stdioServer, env: { PET: '${PET_KEY:-nothing}' } },
      plain: stdioServer,
    },
  }),
  '.env': '# Mine\nFIRST=1\n\n# Pets\nPET_KEY="old one"\nLAST=2\n',
};

async function call(running: RunningLuna, name: string): Promise<string> {
  const answer = await (await running.api('POST', 'tools/call', { name, args: {} })).json();
  return answer.result?.content?.[0]?.text ?? JSON.stringify(answer);
}

async function pids(running: RunningLuna): Promise<string[]> {
  return [await call(running, 'keyed__pid'), await call(running, 'plain__pid')];
}

/** A key of which standard input is told, as a pipe does. */
async function setByCommand(home: string, name: string, value: string) {
  const child = spawn(process.execPath, [
    join(repository, 'packages/server/bin/luna.mjs'),
    ...['keys', 'set', name, '--home', home],
  ]);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk));
  child.stdin.end(value);
  const [code] = await once(child, 'close');
  return { code, text };
}

describe('a changed key', () => {
  test('reaches what uses it at once, and nothing else is touched', async () => {
    const running = await startLuna(await homeOf(files));
    expect([await call(running, 'tell'), await call(running, 'told')]).toEqual(['old one', 'old one']);
    const before = await pids(running);
    expect((await running.api('POST', 'keys/set', { name: 'PET_KEY', value: "new 'one' # with $signs" })).status).toBe(
      204,
    );
    expect(await call(running, 'tell')).toBe("new 'one' # with $signs");
    expect(await call(running, 'told')).toBe("new 'one' # with $signs");
    const after = await pids(running);
    expect(after[0]).not.toBe(before[0]);
    expect(after[1]).toBe(before[1]);
    const text = await readFile(join(running.home, '.env'), 'utf8');
    expect(text).toMatch(/^# Mine\nFIRST=1\n\n# Pets\nPET_KEY=`new 'one' # with \$signs`\nLAST=2\n/);
    expect((await stat(join(running.home, '.env'))).mode & 0o777).toBe(0o600);

    expect((await running.api('POST', 'keys/delete', { name: 'PET_KEY' })).status).toBe(204);
    expect(await call(running, 'tell')).toBe('none');
    expect((await pids(running))[1]).toBe(before[1]);
  });

  test('is noticed when it is edited by hand', async () => {
    const running = await startLuna(await homeOf(files));
    const before = await pids(running);
    const file = join(running.home, '.env');
    // As editors save. One that empties the file first may be seen half done, with a server that is started twice.
    await writeFile(`${file}.new`, (await readFile(file, 'utf8')).replace('old one', 'by hand'));
    await rename(`${file}.new`, file);
    await eventually(async () => expect(await call(running, 'tell')).toBe('by hand'));
    await eventually(async () => {
      const [pid] = await pids(running);
      expect(Number(pid)).toBeGreaterThan(0);
      expect(pid).not.toBe(before[0]);
    });
    const between = await pids(running);
    await appendFile(file, 'NOBODYS=1\n');
    await eventually(async () =>
      expect(
        (await (await running.api('GET', 'keys/list')).json()).keys.map((key: { name: string }) => key.name),
      ).toContain('NOBODYS'),
    );
    expect(await pids(running)).toEqual(between);
    expect(between[1]).toBe(before[1]);
  });
});

describe('keys are shown', () => {
  test('covered, with who uses them; those that are missing first', async () => {
    const running = await startLuna(await homeOf({ ...files, '.env': 'PET_KEY=a-long-secret-value\nSHORT=abc\n' }));
    const listed = await (await running.api('GET', 'keys/list')).text();
    expect(listed).not.toContain('a-long-secret');
    const { keys } = JSON.parse(listed);
    expect(keys).toContainEqual({ name: 'PET_KEY', masked: '••••alue', usedBy: ['pets', 'told', 'keyed'] });
    expect(keys).toContainEqual({ name: 'SHORT', masked: '••••', usedBy: [] });
    expect(keys).toContainEqual(expect.objectContaining({ name: 'MCP_SERVER_DEFAULT_API_KEY', keptBy: 'hub' }));
    expect(await (await running.api('GET', 'keys/required')).json()).toEqual({
      keys: [
        { name: 'OTHER_KEY', missing: true, wantedBy: [{ source: 'pets', kind: 'extension' }] },
        { name: 'PET_KEY', missing: false, wantedBy: [{ source: 'pets', kind: 'extension' }] },
      ],
    });
  });
});

describe('what cannot be a key', () => {
  test('is refused, and the file stays as it is', async () => {
    const running = await startLuna(await homeOf(files));
    const before = await readFile(join(running.home, '.env'), 'utf8');
    const refused: [string, unknown, number][] = [
      ['keys/set', { name: 'A', value: 'x\nSUPERVISOR_API_TOKEN=mine' }, 400],
      ['keys/set', { name: 'A', value: 'x\rB=1' }, 400],
      ['keys/set', { name: 'A\nB', value: 'x' }, 400],
      ['keys/set', { name: 'A=B', value: 'x' }, 400],
      ['keys/set', { name: '', value: 'x' }, 400],
      ['keys/set', { name: 'A', value: 1 }, 400],
      ['keys/set', { name: 'A', value: `"'\`` }, 400],
      ['keys/set', { name: 'A', value: 'x'.repeat(40_000) }, 413],
      ['keys/set', { name: 'MCP_SERVER_DEFAULT_API_KEY', value: 'x'.repeat(20) }, 409],
      ['keys/set', { name: 'LUNA_ENCRYPTION_KEY', value: 'x' }, 409],
      ['keys/delete', { name: 'SUPERVISOR_API_TOKEN' }, 409],
      ['keys/delete', { name: 'NOT_THERE' }, 404],
      ['keys/upload-env', { text: 'A=1\nB="two\nlines"\n' }, 400],
      ['keys/upload-env', { text: 'no key at all' }, 400],
      ['keys/upload-env', { text: 'bad-name=1' }, 400],
      ['keys/upload-env', {}, 400],
    ];
    for (const [path, body, status] of refused) {
      const answer = await running.api('POST', path, body);
      expect([path, body, answer.status]).toEqual([path, body, status]);
      expect((await answer.json()).error.message.length).toBeGreaterThan(10);
    }
    expect(await readFile(join(running.home, '.env'), 'utf8')).toBe(before);
    expect((await fetch(`${running.url}/api/supervisor/keys/list`)).status).toBe(401);
  });

  test('a file is merged: all of its keys at once, others stay', async () => {
    const running = await startLuna(await homeOf(files));
    const text = "# Theirs\nFIRST=1\nPET_KEY=third\nexport NEW='a b'\nLUNA_ENCRYPTION_KEY=evil\n";
    expect(await (await running.api('POST', 'keys/upload-env', { text })).json()).toEqual({
      set: ['NEW', 'PET_KEY'],
      unchanged: ['FIRST'],
      skipped: [{ name: 'LUNA_ENCRYPTION_KEY', reason: expect.stringContaining('encrypted') }],
    });
    expect(await running.env()).toMatchObject({ FIRST: '1', PET_KEY: 'third', NEW: 'a b', LAST: '2' });
    expect(await call(running, 'tell')).toBe('third');
  });
});

test('luna keys works while Luna runs and while it does not', async () => {
  const home = await homeOf(files);
  const missing = await luna(['keys', 'required', '--home', home]);
  expect([missing.code, missing.stdout]).toEqual([1, expect.stringMatching(/OTHER_KEY +missing +pets/)]);
  expect(await setByCommand(home, 'OTHER_KEY', 'piped\n')).toEqual({ code: 0, text: 'OTHER_KEY is set.\n' });
  expect((await setByCommand(home, 'OTHER_KEY', '')).code).toBe(1);
  expect((await luna(['keys', 'required', '--home', home])).code).toBe(0);
  expect((await luna(['keys', 'set', 'A', 'value', '--home', home])).code).toBe(1);

  const running = await startLuna(home);
  expect((await running.env()).OTHER_KEY).toBe('piped');
  expect((await setByCommand(home, 'PET_KEY', 'from a pipe')).code).toBe(0);
  expect(await call(running, 'tell')).toBe('from a pipe');
  const listed = await luna(['keys', 'list', '--home', home, '--json']);
  expect(JSON.parse(listed.stdout)).toContainEqual(expect.objectContaining({ name: 'PET_KEY', masked: '••••' }));
  const gone = await luna(['keys', 'delete', 'NOT_THERE', '--home', home, '--json']);
  expect([gone.code, JSON.parse(gone.stderr).error.code]).toEqual([1, 'not_found']);
});
