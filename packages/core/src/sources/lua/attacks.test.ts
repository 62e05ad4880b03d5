import { execFileSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { made } from '../../../test/fixtures/lua-tool.ts';
import { LuaPool } from './pool.ts';

/** What a hostile author of a script would try. */

describe('values that cross the border', () => {
  const nest = (levels: number, then: string) =>
    `local t = {} local root = t for i = 1, ${levels} do t.t = {} t = t.t end ${then}`;

  test.each([
    ['a result', 'return root'],
    ['an argument', 'return state.set("k", root)'],
    ['an error', 'error(root)'],
  ])('%s that is nested deep is refused, and harms no later script', async (_what, then) => {
    const { run, save, source } = await made(nest(20_000, then));
    for (let time = 0; time < 5; time++) expect(await run()).toMatch(/^error: /);
    await save('main.lua', nest(100, 'return root'));
    await source.reload();
    for (let time = 0; time < 5; time++) expect(JSON.stringify(await run())).toHaveLength(6 * 100 + 2);
  });

  test.each([
    ['cyclic', 'local t = {} t.t = t'],
    ['a function', 'local t = { f = print }'],
    ['too long', 'local t = { s = ("x"):rep(17000000) }'],
  ])('an argument that is %s is an error like any other, as a text', async (_what, prepare) => {
    const { run } = await made(`${prepare} local ok, why = pcall(state.set, "k", t) return { ok, type(why), why }`, {
      limits: { memory_mb: 256 },
    });
    expect(await run()).toMatch(/^\[false,"string","state\.set: /);
  });

  test('metatables are not asked about results', async () => {
    const { run } = await made(
      'local loop = function() while true do end end return setmetatable({ a = 1 }, { __pairs = loop, __index = loop, __len = loop, __tostring = loop })',
    );
    expect(await run()).toEqual({ a: 1 });
  });

  test.each([
    'return setmetatable({}, { __gc = function() while true do end end })',
    'local x <close> = setmetatable({}, { __close = function() while true do end end }) return 1',
    'error(setmetatable({}, { __tostring = function() while true do end end }))',
    'while true do pcall(string.rep, "x", 1e9) end',
    'while true do pcall(state.get, "x") end',
    'local co = coroutine.wrap(function() while true do coroutine.yield() end end) while true do co() end',
    'while true do print("") end',
  ])('time ends for: %s', async (script) => {
    const { run } = await made(script, { limits: { timeout_seconds: 0.5 } });
    await expect(run()).rejects.toMatchObject({ code: 'timeout' });
  });

  test.each([
    'return #(("a"):rep(1000000):gsub("a", ("b"):rep(100000)))',
    'local s = "" for i = 1, 100 do s = string.format("%s%sx", s, s) end return #s',
    'return #string.pack("s8", ("x"):rep(60000000))',
    'local t = {} while true do t[#t + 1] = coroutine.create(function() end) end',
    'return table.concat({ ("x"):rep(30000000), ("x"):rep(30000000), ("x"):rep(30000000) })',
  ])('memory ends for: %s', async (script) => {
    const { run } = await made(script, { limits: { memory_mb: 16, timeout_seconds: 20 } });
    expect(await run()).toBe('error: it needed more than 16 MB of memory');
  });
});

test('what a script prints is limited by lines too', async () => {
  const { run, log } = await made('for i = 1, 100000 do print("") end return "done"');
  expect(await run()).toBe('done');
  expect(log).toHaveLength(2_001);
  expect(log.at(-1)).toBe('… what follows is too long');
});

test('tampering with the standard library changes nothing of the host', async () => {
  const { run, log } = await made(
    `table.concat = function() error("mine") end tostring = function() error("mine") end error = function() return 1 end
     setmetatable(_G, { __index = function(_, name) return name end })
     print("said") local ok = pcall(http.get, "http://127.0.0.1:9/") return { ok, os, __host }`,
  );
  expect(await run()).toBe('[false,"os","__host"]');
  expect(log).toEqual(['said']);
});

describe('turns', () => {
  const task = (name: string, script: string) => ({
    task: {
      script,
      name,
      args: {},
      env: {},
      memoryBytes: 16 * 1_048_576,
      maxOutputBytes: 1_000,
      modules: ['state'],
    },
    runMs: 3_000,
    waitMs: 60_000,
    host: async (): Promise<unknown> => undefined,
    onPrint: () => undefined,
  });
  const poolOf = (size: number) => {
    const pool = new LuaPool({ size });
    onTestFinished(() => pool.close());
    return pool;
  };

  test('a tool that is called without end, and never ends, leaves a worker to others', async () => {
    const pool = poolOf(2);
    let ended = 0;
    const hostile = Array.from({ length: 20 }, () =>
      pool.run(task('hostile', 'while true do end')).catch(() => ended++),
    );
    expect(await pool.run(task('other', 'return 7'))).toBe(7);
    expect(ended).toBeLessThan(hostile.length);
    expect(await Promise.all(Array.from({ length: 5 }, () => pool.run(task('other', 'return 7'))))).toHaveLength(5);
    expect(ended).toBeLessThan(hostile.length);
    await pool.close();
    await Promise.all(hostile);
  });

  test('scripts that wait for the host hold nobody up', async () => {
    const pool = poolOf(2);
    const { promise: answer, resolve } = Promise.withResolvers<unknown>();
    const { promise: manyWait, resolve: onManyWait } = Promise.withResolvers<void>();
    let asked = 0;
    const host = () => {
      if (++asked === 12) onManyWait();
      return answer;
    };
    const waiting = Array.from({ length: 20 }, (_, index) =>
      pool.run({ ...task(`waits${index % 3}`, 'return state.get("x")'), host }),
    );
    await manyWait;
    for (let time = 0; time < 3; time++) expect(await pool.run(task('other', 'return 7'))).toBe(7);
    resolve(8);
    expect(await Promise.all(waiting)).toEqual(Array(20).fill(8));
  });

  test('whoever waits for a turn when the pool is closed is told', async () => {
    const pool = poolOf(1);
    const runs = Array.from({ length: 3 }, () => pool.run(task('tool', 'while true do end')));
    const outcomes = Promise.allSettled(runs);
    await pool.close();
    expect((await outcomes).map(({ status }) => status)).toEqual(Array(3).fill('rejected'));
  });
});

test('counting up is a way to fill the disk no more than setting is', async () => {
  const { run } = await made(
    `state.set("a", ("x"):rep(4999990)) state.set("b", ("x"):rep(4999900))
     local ok, why = pcall(state.incr, ("k"):rep(200)) return { ok = ok, why = why }`,
  );
  expect(await run()).toEqual({ ok: false, why: 'the state is longer than 10000000 characters' });
});

test('a pipe is no file, and holds nothing up', async () => {
  const { run, home } = await made(
    'local one, a = pcall(fs.read, "data/pipe") local two, b = pcall(fs.write, "data/pipe", "x") return { one, a, two, b }',
    { permissions: { filesystem: { write: ['data'] } }, limits: { wait_seconds: 5 } },
  );
  await mkdir(join(home, 'data'));
  execFileSync('mkfifo', [join(home, 'data', 'pipe')]);
  expect(await run()).toMatch(/^\[false,"[^"]*no file[^"]*",false,/);
});

describe('requests', () => {
  async function serve(answer: RequestListener) {
    const server = createServer(answer);
    await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  test('credentials under any name do not follow a redirect to another host', async () => {
    const seen: NodeJS.Dict<string | string[]>[] = [];
    const other = await serve((request, response) => {
      seen.push(request.headers);
      response.end('ok');
    });
    const first = await serve((_request, response) => response.writeHead(307, { location: `http://${other}/` }).end());
    const { run } = await made(
      `return http.get("http://${first}/", { headers = { ["X-Api-Key"] = "k", Authorization = "a", Cookie = "c", Accept = "text/x" } }).body`,
      { permissions: { network: { allowed_hosts: [first, other] } } },
    );
    expect(await run()).toBe('ok');
    expect(seen[0]).toMatchObject({ accept: 'text/x' });
    for (const name of ['x-api-key', 'authorization', 'cookie']) expect(seen[0]).not.toHaveProperty(name);
  });

  test.each(['Host', 'Transfer-Encoding', 'Content-Length', 'Connection'])(
    '%s is not for scripts to set',
    async (name) => {
      const host = await serve((request, response) => response.end(request.headers.host));
      const { run } = await made(
        `return http.get("http://${host}/", { headers = { ["${name}"] = "inner.example" } }).body`,
        {
          permissions: { network: { allowed_hosts: [host] } },
        },
      );
      expect(await run()).toMatch(/^error: .*is not for scripts to set/);
    },
  );

  test.each([
    'http://2130706433/',
    'http://0x7f.1/',
    'http://0177.0.0.1/',
    'http://[::ffff:127.0.0.2]/',
    'http://[::]/',
    'http://127.0.0.2/',
    'http://localhost.localdomain@127.0.0.2/',
    'http://169.254.169.254/latest',
  ])('%s is not reached, although any host was permitted by a wildcard', async (address) => {
    const { run } = await made(`return http.get("${address}").body`, {
      permissions: {
        network: {
          allowed_hosts: ['*.1', '*.0.2', '127.0.0.2', '[::ffff:7f00:2]', '[::]', '169.254.169.254', '2130706433'],
        },
      },
    });
    expect(await run()).toMatch(/^error: /);
  });

  test('a compressed bomb is counted as what it becomes', async () => {
    const { gzipSync } = await import('node:zlib');
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    const host = await serve((_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb));
    const { run } = await made(`return #http.get("http://${host}/").body`, {
      permissions: { network: { allowed_hosts: [host] } },
    });
    expect(await run()).toMatch(/^error: .*longer than 1048576 bytes/);
  });
});
