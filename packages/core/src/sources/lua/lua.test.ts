import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { answerOf, made } from '../../../test/fixtures/lua-tool.ts';
import { Cancellation } from '../../tools/index.ts';
import type { CallTool } from './source.ts';

const signal = new AbortController().signal;

describe('a script', () => {
  test.each<[string, unknown]>([
    ['return "text"', 'text'],
    ['return 7', '7'],
    ['return true', 'true'],
    ['return', ''],
    ['return { a = 1, b = { 1, 2 } }', { a: 1, b: [1, 2] }],
    ['return { "a", "b" }', '["a","b"]'],
    ['return 10 // 3', '3'],
    ['return ("x"):rep(3), "second"', 'xxx'],
    ['return string.format("%s %d", "ü", 5)', 'ü 5'],
    ['return print', 'error: the script returned a function, which is no result'],
    ['return { f = print }', 'error: the result holds a function'],
    ['return 0/0', 'error: the script returned NaN, which is no JSON'],
    ['error("oh no")', 'error: lua/tool/main.lua:1: oh no'],
    [
      '\n\nlocal x = nil\nreturn x.y',
      expect.stringMatching(/^error: lua\/tool\/main\.lua:4: attempt to index a nil value/),
    ],
    ['local t = {} t.t = t return t', 'error: a table holds itself'],
    ['local s = { 1 } return { a = s, b = s }', { a: [1], b: [1] }],
    ['return { [{}] = 1 }', 'error: a table is the key of a table'],
    ['local t = {} for i = 4, 1, -1 do t[i] = i end return t', '[1,2,3,4]'],
    ['return { [3] = "c", [2] = "b", [1] = "a" }', '["a","b","c"]'],
    ['return { 1, nil, 3 }', { 1: 1, 3: 3 }],
    ['return { [true] = 1, [1.5] = 2, ["1"] = 3 }', { true: 1, 1.5: 2, 1: 3 }],
    ['return { x = 1 / 0 }', 'error: the result holds Infinity, which is no JSON'],
    ['return "a\\0b ü 🦊"', 'a\0b ü 🦊'],
    ['return { ["a\\0ü"] = "\\0" }', { 'a\0ü': '\0' }],
    ['return "cut: " .. ("ü"):sub(1, 1) .. "\\xff\\0."', 'cut: \ufffd\ufffd\0.'],
    ['return math.maxinteger', '9223372036854775807'],
    ['return { id = 1234567890123456789, f = 2.0 ^ 60 }', { id: '1234567890123456789', f: 2 ** 60 }],
    [
      'error({ why = "x", nested = { z = 1, b = 2, a = 3 }, code = 3 })',
      'error: {"code":3,"nested":{"a":3,"b":2,"z":1},"why":"x"}',
    ],
    ['error(setmetatable({}, { __tostring = function() return "told" end }))', 'error: told'],
    ['error("a\\0b", 0)', 'error: a\0b'],
  ])('%s', async (script, expected) => {
    expect(await (await made(script)).run()).toEqual(expected);
  });

  test('gets its parameters as globals, checked, with defaults', async () => {
    const { run, source } = await made('return name .. " " .. tostring(times) .. " " .. tostring(note)', {
      parameters: [
        { name: 'name', type: 'string', description: 'Whom to greet.' },
        { name: 'times', type: 'integer', default: 2 },
        { name: 'note', type: 'string', optional: true },
      ],
    });
    expect(source.list()[0]?.inputSchema).toEqual({
      type: 'object',
      properties: {
        name: { type: 'string', description: 'Whom to greet.' },
        times: { type: 'integer', default: 2 },
        note: { type: 'string' },
      },
      required: ['name'],
      additionalProperties: false,
    });
    expect(await run({ name: 'Ada' })).toBe('Ada 2 nil');
    await expect(run({})).rejects.toMatchObject({ code: 'invalid_input' });
    await expect(run({ name: 7 })).rejects.toMatchObject({ code: 'invalid_input' });
    await expect(run({ name: 'a', os: 'x' })).rejects.toMatchObject({ code: 'invalid_input' });
  });

  test('gets any value that JSON has', async () => {
    const { run } = await made(
      'return { n = n, whole = math.type(n), s = s, length = s and #s, a = a, third = a and a[3], o = o }',
      {
        parameters: [
          { name: 'n', type: 'number', optional: true },
          { name: 's', type: 'string', optional: true },
          { name: 'a', type: 'array', optional: true },
          { name: 'o', type: 'object', optional: true },
        ],
      },
    );
    expect(await run({ n: 1e30 })).toEqual({ n: 1e30, whole: 'float' });
    expect(await run({ n: -(2 ** 63) })).toEqual({ n: '-9223372036854775808', whole: 'integer' });
    expect(await run({ n: 2 ** 63 })).toEqual({ n: 2 ** 63, whole: 'float' });
    expect(await run({ s: 'a\0ü' })).toEqual({ s: 'a\0ü', length: 4 });
    expect(await run({ s: '\ud800' })).toEqual({ s: '\ufffd', length: 3 });
    expect(await run({ a: [1, null, 3], o: { x: null, y: [{ z: null }] } })).toEqual({
      a: { 1: 1, 3: 3 },
      third: 3,
      o: { y: [{}] },
    });
  });

  test('prints to the log, to a limit', async () => {
    const { run, log } = await made('print("a", 1, nil) for i = 1, 100000 do print(("x"):rep(100)) end return "done"', {
      limits: { max_output_bytes: 5_000 },
    });
    expect(await run()).toBe('done');
    expect(log[0]).toBe('a\t1\tnil');
    expect(log.length).toBeLessThan(60);
  });

  test('has a VM of its own each time', async () => {
    const { run } = await made(
      'seen = (seen or 0) + 1 string.seen = (string.seen or 0) + 1 return { seen, string.seen }',
    );
    for (let time = 0; time < 3; time++) expect(await run()).toBe('[1,1]');
  });
});

describe('what leads out of a script is not there', () => {
  test.each([
    'os',
    'io',
    'require',
    'package',
    'debug',
    'load',
    'loadstring',
    'loadfile',
    'dofile',
    'collectgarbage',
    'string.dump',
    '__host',
    '__say',
    '__modules',
    '__env',
    '_G.__host',
    'process',
    'js',
  ])('%s', async (name) => {
    expect(await (await made(`return type(${name})`)).run()).toBe('nil');
  });

  test('bytecode is no script', async () => {
    const { source } = await made('\u001bLua');
    expect(source.health()).toMatchObject({ status: 'down', reason: expect.stringContaining('not text') });
  });

  test('metatables of texts lead nowhere', async () => {
    const { run } = await made('getmetatable("").__index = function() return "x" end return ("a").anything');
    expect(await run()).toBe('x');
    const again = await made('return type(getmetatable("").__index)');
    expect(await again.run()).toBe('table');
  });

  test('environment: only what was asked for', async () => {
    const { run } = await made(
      'return { env.TOKEN, env.get("TOKEN"), tostring(env.OTHER), tostring(env.get("PATH")) }',
      {
        permissions: { env: ['TOKEN'] },
      },
    );
    expect(await run()).toBe('["a secret","a secret","nil","nil"]');
  });
});

describe('a script that does not end by itself is ended, and the next one runs', () => {
  test.each([
    ['an endless loop', 'while true do end'],
    ['one that swallows errors', 'while true do pcall(function() while true do end end) end'],
    ['one in a coroutine', 'coroutine.wrap(function() while true do end end)()'],
    ['a catastrophic pattern', 'return (("a"):rep(100000)):find((".-"):rep(30) .. "b")'],
    [
      'endless metamethods',
      'local t = setmetatable({}, {}) getmetatable(t).__index = function(t, k) return t[k .. "x"] end return pcall(function() return t.a end), (function() while true do end end)()',
    ],
  ])('%s', async (_what, script) => {
    const { run } = await made(`if mode == "ok" then return "fine" end ${script}`, {
      parameters: [{ name: 'mode', optional: true }],
      limits: { timeout_seconds: 1.2 },
    });
    await expect(run()).rejects.toMatchObject({
      code: 'timeout',
      message: expect.stringContaining('longer than 1.2 seconds'),
    });
    expect(await run({ mode: 'ok' })).toBe('fine');
  });

  test.each([
    ['a table that grows', 'local t = {} for i = 1, 1e9 do t[i] = ("x"):rep(1000) .. i end'],
    ['a text that doubles', 'local s = "x" while true do s = s .. s end'],
    ['one that repeats too often', 'return ("x"):rep(1e10)'],
    ['one that calls itself', 'local function f() return 1 + f() end return f()'],
  ])('%s', async (_what, script) => {
    const { run } = await made(`if mode == "ok" then return "fine" end ${script}`, {
      parameters: [{ name: 'mode', optional: true }],
      limits: { memory_mb: 8 },
    });
    expect(await run()).toMatch(/^error: /);
    expect(await run({ mode: 'ok' })).toBe('fine');
  });

  test('a result that is too long', async () => {
    const { run } = await made('return ("x"):rep(2000)', { limits: { max_output_bytes: 1_000 } });
    expect(await run()).toBe('error: the result is longer than 1000 bytes');
  });

  test('a call that is cancelled', async () => {
    const { source } = await made('while true do end', { limits: { timeout_seconds: 60 } });
    const cancellation = new Cancellation();
    const outcome = source.call('tool', {}, { signal, cancellation });
    setImmediate(() => cancellation.cancel('by the test'));
    await expect(outcome).rejects.toMatchObject({ code: 'cancelled' });
  });

  test('many at one time, of which some are hostile, get their own answers', async () => {
    const { run } = await made('if n % 5 == 0 then while true do end end return n', {
      parameters: [{ name: 'n', type: 'integer' }],
      limits: { timeout_seconds: 0.5 },
    });
    const outcomes = await Promise.allSettled(Array.from({ length: 30 }, (_, n) => run({ n })));
    expect(outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : 'ended'))).toEqual(
      Array.from({ length: 30 }, (_, n) => (n % 5 === 0 ? 'ended' : String(n))),
    );
  });
});

describe('state', () => {
  test('lasts, by key, as JSON', async () => {
    const { run } = await made(`
      state.set("a", { list = { 1, 2 }, text = "x" })
      state.set("gone", 1) state.delete("gone")
      return { a = state.get("a"), none = state.get("none") == nil, keys = state.keys(), sum = state.incr("n", 2) }`);
    expect(await run()).toEqual({ a: { list: [1, 2], text: 'x' }, none: true, keys: ['a'], sum: 2 });
    expect(await run()).toMatchObject({ keys: ['a', 'n'], sum: 4 });
  });

  test('of calls at one time none is lost', async () => {
    const { run } = await made('return state.incr("n")');
    const sums = await Promise.all(Array.from({ length: 50 }, () => run()));
    expect(sums.map(Number).sort((one, other) => one - other)).toEqual(
      Array.from({ length: 50 }, (_, index) => index + 1),
    );
  });

  test('mistakes are errors of the script', async () => {
    const { run } = await made('state.set("text", "x") return { pcall(state.incr, "text") }');
    expect(JSON.stringify(await run())).toContain('is not a number');
  });

  test.each([
    ['print', 'state.set: an argument holds a function'],
    ['0/0', 'state.set: an argument holds NaN, which is no JSON'],
    ['{ -1/0 }', 'state.set: an argument holds -Infinity, which is no JSON'],
    ['{ [{}] = 1 }', 'state.set: a table is the key of a table'],
  ])('keeps nothing of what is no JSON: %s', async (value, why) => {
    const { run } = await made(`return { select(2, pcall(state.set, "k", ${value})), #state.keys() }`);
    expect(await run()).toBe(JSON.stringify([why, 0]));
  });

  test('keeps the largest numbers and zeros in texts', async () => {
    const { run } = await made(`
      state.set("k\\0", { max = math.maxinteger, text = "a\\0b" })
      local kept = state.get("k\\0")
      return { kept.max > 9e18, kept.text, state.keys() }`);
    expect(await run()).toBe(JSON.stringify([true, 'a\0b', ['k\0']]));
  });
});

describe('files', () => {
  const permissions = { filesystem: { read: ['data', 'one.txt'], write: ['out'] } };

  test('that are permitted are read, written, listed and deleted', async () => {
    const { run, home } = await made(
      `fs.write("out/deep/a.txt", fs.read("data/in.txt") .. "!")
       local there = fs.exists("out/deep/a.txt")
       local list = fs.list("out/deep")
       local one = fs.read("one.txt")
       fs.delete("out/deep/a.txt")
       return { there = there, list = list, one = one, after = fs.exists("out/deep/a.txt") }`,
      { permissions },
    );
    await mkdir(join(home, 'data'));
    await writeFile(join(home, 'data', 'in.txt'), 'hello');
    await writeFile(join(home, 'one.txt'), '1');
    expect(await run()).toEqual({ there: true, list: ['a.txt'], one: '1', after: false });
  });

  test.each([
    'fs.read(".env")',
    'fs.read("data/../.env")',
    'fs.read("/etc/passwd")',
    'fs.read("data2/x")',
    'fs.read("data/link")',
    'fs.read("data/folder/passwd")',
    'fs.write("data/x", "y")',
    'fs.write("out/../one.txt", "y")',
    'fs.write("out/link", "y")',
    'fs.write("out/dangling", "y")',
    'fs.delete("one.txt")',
    'fs.list(".")',
    'fs.exists("/etc")',
  ])('%s is refused', async (expression) => {
    const { run, home } = await made(`${expression} return "done"`, { permissions });
    for (const folder of ['data', 'data2', 'out']) await mkdir(join(home, folder));
    await writeFile(join(home, '.env'), 'KEY=1');
    await writeFile(join(home, 'one.txt'), '1');
    await symlink(join(home, '.env'), join(home, 'data', 'link'));
    await symlink('/etc', join(home, 'data', 'folder'));
    await symlink(join(home, '.env'), join(home, 'out', 'link'));
    await symlink('/tmp/luna-not-there', join(home, 'out', 'dangling'));
    expect(await run()).toMatch(/^error: .*(may not|zero|leads to nothing)/);
    expect(await readFile(join(home, '.env'), 'utf8')).toBe('KEY=1');
    expect(await readFile(join(home, 'one.txt'), 'utf8')).toBe('1');
  });

  test('are none without permission', async () => {
    const { run } = await made('return fs.read("main.lua")');
    expect(await run()).toContain('permissions.filesystem');
  });
});

describe('http', () => {
  async function serve(listener: RequestListener): Promise<string> {
    const server = createServer(listener);
    await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  const allowing = (...allowed_hosts: string[]) => ({ permissions: { network: { allowed_hosts } } });

  test('asks hosts that are permitted', async () => {
    const url = await serve(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      response.setHeader('x-odd', 'yes').end(`${request.method} ${request.url} ${request.headers['x-key']} ${body}`);
    });
    const { run } = await made(
      `local a = http.get("${url}/a", { headers = { ["x-key"] = "k" } })
       local b = http.post("${url}/b", { n = 1 })
       local c = http.request({ method = "PUT", url = "${url}/c", body = "text" })
       return { a.status, a.headers["x-odd"], a.body, b.body, c.body }`,
      allowing('127.0.0.1'),
    );
    expect(await run()).toBe(
      JSON.stringify([200, 'yes', 'GET /a k ', 'POST /b undefined {"n":1}', 'PUT /c undefined text']),
    );
  });

  test('a redirect is judged like the first address', async () => {
    const url = await serve((request, response) =>
      request.url === '/in'
        ? response.end('inside')
        : response.writeHead(302, { location: request.url === '/away' ? 'http://localhost:1/' : '/in' }).end(),
    );
    const { run } = await made(`return http.get("${url}/here").body`, allowing('127.0.0.1'));
    expect(await run()).toBe('inside');
    const away = await made(`return http.get("${url}/away").body`, allowing('127.0.0.1'));
    expect(await away.run()).toContain('may not reach localhost');
  });

  test.each([
    ['a host that is not permitted', 'http://example.com/', ['api.example.com'], /may not reach example\.com/],
    ['a host below one that is', 'http://a.api.example.com/', ['api.example.com'], /may not reach/],
    ['a name that only ends alike', 'http://evilexample.com/', ['*.example.com'], /may not reach/],
    ['an address inside, though it is permitted here', 'http://127.0.0.2/', ['127.0.0.2'], /127\.0\.0\.2/],
    ['another protocol', 'file:///etc/passwd', ['*'], /only http/],
    ['a name and a password', 'http://a:b@127.0.0.1/', ['127.0.0.1'], /no name and no password/],
    ['no address', 'nonsense', ['127.0.0.1'], /is no address/],
  ])('%s is refused', async (_what, url, hosts, why) => {
    const { run } = await made(`return http.get("${url}").body`, allowing(...hosts));
    expect(await run()).toMatch(why);
  });

  test('an answer that is too long, and one that takes too long', async () => {
    const url = await serve((request, response) => {
      if (request.url === '/long') response.end(Buffer.alloc(3_000_000));
    });
    const long = await made(`return http.get("${url}/long").body`, allowing('127.0.0.1'));
    expect(await long.run()).toContain('longer than 1048576 bytes');
    const slow = await made(`return http.get("${url}/slow").body`, {
      ...allowing('127.0.0.1'),
      limits: { wait_seconds: 0.2 },
    });
    await expect(slow.run()).rejects.toMatchObject({ code: 'timeout' });
  });
});

describe('other tools', () => {
  const callTool: CallTool = async (name, args, { depth }) =>
    name === 'broken'
      ? { content: [{ type: 'text', text: 'it broke' }], isError: true }
      : { content: [], structuredContent: { name, args, depth } };

  test('that are permitted are called', async () => {
    const { run } = await made('return tools.call("a", { x = 1 })', { permissions: { tools: ['a'] } }, callTool);
    expect(await run()).toEqual({ name: 'a', args: { x: 1 }, depth: 1 });
  });

  test('may answer with nothing in places', async () => {
    const answers: CallTool = async () => ({ content: [], structuredContent: { none: null, list: [null, 2] } });
    const { run } = await made('return tools.call("a").list[2]', { permissions: { tools: ['a'] } }, answers);
    expect(await run()).toBe('2');
  });

  test('that are not permitted are refused; a failure is an error that a script can catch', async () => {
    const { run } = await made(
      'local ok, why = pcall(tools.call, "broken", {}) return { tostring(ok), why, select(2, pcall(tools.call, "b")) }',
      { permissions: { tools: ['broken'] } },
      callTool,
    );
    expect(await run()).toMatch(/"false","it broke",".*may not call b/);
  });

  test('cannot call one another for ever', async () => {
    const { source } = await made(
      'return tools.call("a", {})',
      { permissions: { tools: ['a'] } },
      (_name, args, { depth }) => source.call('tool', args, { signal, meta: { 'dev.luna/lua-depth': depth } }),
    );
    expect(answerOf(await source.call('tool', {}, { signal }))).toContain('8 times at most');
  });
});

describe('a tool that is saved', () => {
  test('counts for the next call; a broken one leaves the last good version, and is told with its line', async () => {
    const { source, run, save } = await made('return "one"');
    expect(await run()).toBe('one');
    await save('main.lua', 'return "two"');
    await source.reload();
    expect(await run()).toBe('two');
    await save('main.lua', 'local x = 1\nreturn x +');
    await source.reload();
    expect(source.health()).toMatchObject({
      status: 'degraded',
      reason: expect.stringContaining('lua/tool/main.lua:2:'),
    });
    expect(await run()).toBe('two');
    await save('main.lua', 'return "three"');
    await save('mcp_tool.json', '{\n  "description": "x",\n  "parameters": [{ "name": "print" }]\n}');
    await source.reload();
    expect(source.health().reason).toMatch(/mcp_tool\.json:3:\d+.*word of Lua/);
    expect(await run()).toBe('two');
    await save('mcp_tool.json', '{"description":"Other words."}');
    await source.reload();
    expect([source.health().status, source.list()[0]?.description, await run()]).toEqual([
      'ready',
      'Other words.',
      'three',
    ]);
  });

  test.each([
    ['{', /:1:/],
    ['{"description":""}', /description/],
    ['{"description":"x","permissions":{"network":{"allowed_hosts":"all"}}}', /allowed_hosts/],
    ['{"description":"x","permisions":{}}', /permisions/],
    ['{"description":"x","parameters":[{"name":"a"},{"name":"a"}]}', /twice/],
    ['{"description":"x","limits":{"memory_mb":1e9}}', /memory_mb/],
    [
      '{"description":"x","parameters":[{"name":"a","type":"integer","default":"1"}]}',
      /:1:.*parameters\.0\.default: is not of the type/,
    ],
    ['{"description":"x","parameters":[{"name":"a","enum":["b","c"],"default":"d"}]}', /default: is none of the enum/],
  ])('%s is refused with its place', async (manifest, why) => {
    const { source, save } = await made('return 1');
    await save('mcp_tool.json', manifest);
    await source.reload();
    expect(source.health()).toMatchObject({ status: 'degraded', reason: expect.stringMatching(why) });
  });

  test('may have been saved by an editor of Windows', async () => {
    const { run, save, source } = await made('return 1');
    await save('main.lua', '\ufefflocal a = 1\r\nreturn a + 1\r\n');
    await save('mcp_tool.json', '\ufeff{ "description": "x" }\r\n');
    await source.reload();
    expect([source.health().status, await run()]).toEqual(['ready', '2']);
  });

  test('without its script is down, and says what is missing', async () => {
    const { source, home } = await made('return 1');
    await rm(join(home, 'lua', 'tool', 'main.lua'));
    await source.reload();
    expect(source.health().reason).toContain('main.lua is missing');
  });
});
