import { chmod, readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { eventually } from '../../../../test/fixtures/eventually.ts';
import { startExtension, textOf, toolFile } from '../../../../test/fixtures/extension-folder.ts';
import { hasPython } from '../../../../test/fixtures/python.ts';

const tools = `
import asyncio, ctypes, os, subprocess, sys, threading, time
from dataclasses import dataclass
from datetime import date

@dataclass
class Pair:
    left: int
    day: date

gate = threading.Event()

def ok(): return (True, {"a": 1})
def ok_text(): return (True, '{"a": 1}')
def ok_words(): return (True, "fine")
def failed(): return (False, {"error": "no luck"})
def plain(): return "hello"
def number(): return 7
def nothing(): return None
def true_list(): return [True, 2]
def record(): return Pair(1, date(2024, 1, 2))
def nan(): return float("nan")
def no_json(): return object()
def large(size: int): return "x" * size
def full(): return {"content": [{"type": "image", "data": "AA==", "mimeType": "image/png"}]}
def raises(): raise ValueError("why")
def leaves(): sys.exit(4)
async def later(): 
    await asyncio.sleep(0)
    return (True, {"later": True})
def pid(): return os.getpid()
def variables(): return sorted(os.environ)
def secret(): return os.environ.get("ASKED")
def where(): return [os.getcwd(), os.environ["LUNA_DATA_DIR"]]
def prints():
    print("from print")
    subprocess.run(["echo", "from a program"])
    return sys.stdin.read()
def wait():
    print("waiting")
    gate.wait()
    return "waited"
def go(): gate.set()
def spin():
    print("spinning")
    try:
        while True: time.sleep(0.001)
    finally:
        print("left spin")
async def sleep():
    print("sleeping")
    try:
        await asyncio.sleep(3600)
    finally:
        print("left sleep")
def block():
    print("blocking")
    time.sleep(3600)
async def block_loop():
    print("blocking the loop")
    time.sleep(3600)
def crash(): os._exit(3)
TOOLS = [value for value in list(globals().values()) if callable(value) and getattr(value, "__module__", None) == __name__ and not isinstance(value, type)]
`;

describe.skipIf(!hasPython)('a Python tool', () => {
  const shapes = {
    ok: { content: [{ type: 'text', text: '{"a":1}' }], structuredContent: { a: 1 } },
    ok_text: { content: [{ type: 'text', text: '{"a": 1}' }], structuredContent: { a: 1 } },
    ok_words: { content: [{ type: 'text', text: 'fine' }] },
    failed: {
      content: [{ type: 'text', text: '{"error":"no luck"}' }],
      structuredContent: { error: 'no luck' },
      isError: true,
    },
    plain: { content: [{ type: 'text', text: 'hello' }] },
    number: { content: [{ type: 'text', text: '7' }] },
    nothing: { content: [] },
    true_list: { content: [{ type: 'text', text: '[true,2]' }] },
    record: {
      content: [{ type: 'text', text: '{"left":1,"day":"2024-01-02"}' }],
      structuredContent: { left: 1, day: '2024-01-02' },
    },
    nan: { isError: true, content: [{ text: expect.stringMatching(/^nan failed: ValueError/) }] },
    no_json: { isError: true, content: [{ text: expect.stringContaining('a object cannot be written as JSON') }] },
    full: { content: [{ type: 'image', data: 'AA==', mimeType: 'image/png' }] },
    raises: { isError: true, content: [{ type: 'text', text: 'raises failed: ValueError: why' }] },
    leaves: { isError: true, content: [{ type: 'text', text: 'leaves failed: SystemExit: 4' }] },
    later: { content: [{ type: 'text', text: '{"later":true}' }], structuredContent: { later: true } },
  };

  test('may answer in many shapes, and none of them costs the process', async () => {
    const { call, log } = await startExtension({ 'tools/a_tools.py': tools });
    const pid = textOf(await call('pid'));
    for (const [name, expected] of Object.entries(shapes)) {
      const result = await call(name);
      expect(result, name).toMatchObject(expected);
      expect(result.isError ?? false, name).toBe('isError' in expected);
    }
    expect(log.join('\n')).toMatch(/a_tools\.py", line \d+, in raises/);
    expect(textOf(await call('pid'))).toBe(pid);
    expect(textOf(await call('nobody'))).toBe('There is no tool "nobody" here.');
  });

  test('answers up to 16 MiB; what is longer is a failure in words', async () => {
    const { call } = await startExtension({ 'tools/a_tools.py': tools });
    expect(String(textOf(await call('large', { size: 16 * 1024 * 1024 - 100 })))).toHaveLength(16 * 1024 * 1024 - 100);
    const result = await call('large', { size: 16 * 1024 * 1024 });
    expect(result.isError).toBe(true);
    expect(textOf(result)).toMatch(/^The result is too large: .* the limit is 16777216/);
  });

  test('prints into the log, as do programs that it starts, and reads nothing of Luna', async () => {
    const { call, log } = await startExtension({ 'tools/a_tools.py': tools });
    expect(textOf(await call('prints'))).toBe('');
    await eventually(() => log).toEqual(expect.arrayContaining(['from print', 'from a program']));
  });

  test('gets the secrets that its manifest asks for and no others, its folder, and one for data', async () => {
    const { call, folder } = await startExtension(
      { 'tools/a_tools.py': tools, 'config.json': '{"required_secrets": ["ASKED"]}' },
      { secrets: async () => ({ ASKED: 'a secret', OTHER_SECRET: 'another' }), owner: 'mark' },
    );
    expect(textOf(await call('secret'))).toBe('a secret');
    const names = String(textOf(await call('variables')));
    expect(names).not.toContain('OTHER_SECRET');
    expect(names).not.toContain('VITEST');
    expect(names).toContain('LUNA_OWNER');
    expect(textOf(await call('where'))).toBe(JSON.stringify([folder, `${folder}/data`]));
  });

  test('runs beside others', async () => {
    const { call } = await startExtension({ 'tools/a_tools.py': tools });
    const waiting = Promise.all([call('wait'), call('wait')]);
    expect(textOf(await call('later'))).toBe('{"later":true}');
    await call('go');
    expect((await waiting).map(textOf)).toEqual(['waited', 'waited']);
  });

  test('lies beside TypeScript tools, whose names come first', async () => {
    const { source, call } = await startExtension({
      'tools/a_tools.ts': toolFile('plain', '() => "from TypeScript"'),
      'tools/b_tools.py':
        'SYSTEM_PROMPT = "P"\ndef plain(): pass\ndef other(): return "from Python"\nTOOLS = [plain, other]',
    });
    expect(source.list().map(({ name }) => name)).toEqual(['plain', 'other']);
    expect(textOf(await call('plain'))).toBe('from TypeScript');
    expect(textOf(await call('other'))).toBe('from Python');
    expect(source.systemPrompt).toBe('P');
    expect(source.health()).toMatchObject({
      status: 'degraded',
      reason: 'Python tools are left out because TypeScript has their names: plain.',
    });
  });
});

describe.skipIf(!hasPython)('a cancelled call', () => {
  test.each(['spin', 'sleep'])('of %s ends the function, and the process goes on', async (tool) => {
    const { call, log } = await startExtension({ 'tools/a_tools.py': tools });
    const pid = textOf(await call('pid'));
    const controller = new AbortController();
    const running = call(tool, {}, { signal: controller.signal });
    await eventually(() => log).toContain(tool === 'spin' ? 'spinning' : 'sleeping');
    controller.abort();
    await expect(running).rejects.toMatchObject({ code: 'cancelled' });
    await eventually(() => log).toContain(`left ${tool}`);
    expect(textOf(await call('pid'))).toBe(pid);
  });

  test('before it began is not begun', async () => {
    const { call } = await startExtension({ 'tools/a_tools.py': tools });
    await expect(call('crash', {}, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' });
    expect(textOf(await call('plain'))).toBe('hello');
  });

  test('that does not end at the limit costs the process, once calls beside it have ended', async () => {
    const { call, log } = await startExtension({ 'tools/a_tools.py': tools }, { cancelLimitMs: 20 });
    const pid = Number(textOf(await call('pid')));
    const beside = call('wait');
    const controller = new AbortController();
    const blocking = call('block', {}, { signal: controller.signal });
    await eventually(() => log).toContain('blocking');
    // The gate belongs to the process: only what is called before the other takes over opens it.
    controller.abort();
    await expect(blocking).rejects.toMatchObject({ code: 'cancelled' });
    const outcome = beside.then(textOf, (thrown) => thrown.code);
    await eventually(async () => textOf(await call('pid'))).not.toBe(String(pid));
    expect(isAlive(pid)).toBe(true);
    expect(log.join('\n')).toContain('The tool "block" did not end when it was cancelled');
    process.kill(pid, 'SIGKILL');
    expect(await outcome).toBe('source_unavailable');
    expect(textOf(await call('plain'))).toBe('hello');
  });

  test('that blocks the loop ends the process at once, and says so to the others', async () => {
    const { call, log, source } = await startExtension({ 'tools/a_tools.py': tools }, { cancelLimitMs: 20 });
    const controller = new AbortController();
    const blocking = call('block_loop', {}, { signal: controller.signal });
    await eventually(() => log).toContain('blocking the loop');
    const other = call('later').catch((error) => error);
    controller.abort();
    await expect(blocking).rejects.toMatchObject({ code: 'cancelled' });
    expect(await other).toMatchObject({
      code: 'source_unavailable',
      message: expect.stringContaining('its tool "block_loop" kept Python busy'),
    });
    await eventually(() => source.health().status).toBe('ready');
    expect(textOf(await call('later'))).toBe('{"later":true}');
  });
});

describe.skipIf(!hasPython)('a crash', () => {
  test('fails the calls under way, says why, and Python is back by itself', async () => {
    const { call, source } = await startExtension({
      'tools/a_tools.py': tools,
      'tools/b_tools.js': toolFile('script', '() => "still here"'),
    });
    const list = source.list();
    const waiting = call('wait').catch((error) => error);
    await expect(call('crash')).rejects.toMatchObject({ code: 'source_unavailable' });
    expect(await waiting).toMatchObject({
      code: 'source_unavailable',
      message: expect.stringContaining('Python ended with exit code 3'),
    });
    expect(textOf(await call('script'))).toBe('still here');
    expect(source.list()).toBe(list);
    await eventually(() => source.health().status).toBe('ready');
    expect(textOf(await call('plain'))).toBe('hello');
  });

  test('again and again is followed by longer waits, and a saved file ends them', async () => {
    // Each process writes down that it was there, and ends itself soon after it has told of its tools.
    const { source, call, write, folder } = await startExtension({
      'tools/a_tools.py': `
import os, threading
def one(): pass
TOOLS = [one]
with open(os.path.join(os.path.dirname(__file__), "..", "starts"), "a") as file: file.write("x")
threading.Timer(0.05, os._exit, [1]).start()
`,
    });
    await eventually(() => source.health().status).toBe('down');
    await eventually(() => source.health().retryAt ?? 0).toBeGreaterThan(Date.now());
    expect((await readFile(`${folder}/starts`, 'utf8')).length).toBeGreaterThanOrEqual(2);
    await write({ 'tools/a_tools.py': 'def one(): return "well"\nTOOLS = [one]' });
    await source.reload();
    expect(textOf(await call('one'))).toBe('well');
    expect(source.health()).toEqual({ status: 'ready' });
  });
});

describe.skipIf(!hasPython)('saved files', () => {
  const version = (number: number) => `
import threading, time
gate = threading.Event()
def version():
    """Version ${number}."""
    return "version ${number}"
def wait():
    print("waiting")
    gate.wait(0.4)
    return "waited in ${number}"
TOOLS = [version, wait]
`;

  test('serve new calls at once, while a call under way ends in the old process', async () => {
    const { source, call, write, log } = await startExtension({ 'tools/a_tools.py': version(1) });
    const waiting = call('wait');
    await eventually(() => log).toContain('waiting');
    await write({ 'tools/a_tools.py': version(2) });
    await source.reload();
    expect(textOf(await call('version'))).toBe('version 2');
    expect(textOf(await waiting)).toBe('waited in 1');
    expect(source.list()[0]?.description).toBe('Version 2.');
  });

  const broken = {
    'a syntax error': ['x = 1\ndef broken(:\n', /a_tools\.py:2: /],
    'an error when it is run': ['x = 1\n\nraise ValueError("why")\n', /a_tools\.py:3: ValueError: why/],
    'an exit': ['import sys\nsys.exit(2)\n', /a_tools\.py:2: SystemExit: 2/],
    'no TOOLS': ['x = 1\n', /a_tools\.py: set TOOLS to a list of functions/],
    'TOOLS of something else': ['TOOLS = [1]\n', /a_tools\.py: TOOLS\[0\] is not a function/],
    'a name twice': ['def one(): pass\nTOOLS = [one, one]\n', /a second tool is named "one"/],
    'a module that is missing': [
      'import not_a_module\nTOOLS = []\n',
      /a_tools\.py:1: .*Write "not_a_module" into a requirements\.txt .* "luna ext install sample"/,
    ],
    'an end of the process': ['import os\nos._exit(5)\n', /did not load: Python ended with exit code 5/],
  } as const;

  test.each(Object.entries(broken))(
    'with %s leave the last good version serving, and say where',
    async (_what, [text, reason]) => {
      const { source, call, write } = await startExtension({ 'tools/a_tools.py': version(1) });
      await write({ 'tools/a_tools.py': text });
      await source.reload();
      expect(source.health()).toMatchObject({ status: 'degraded', reason: expect.stringMatching(reason) });
      expect(textOf(await call('version'))).toBe('version 1');
      await write({ 'tools/a_tools.py': version(2) });
      await source.reload();
      expect(source.health()).toEqual({ status: 'ready' });
      expect(textOf(await call('version'))).toBe('version 2');
    },
  );

  test('name what is missing in requirements.txt', async () => {
    const { source } = await startExtension({
      'tools/a_tools.py': 'import not_a_module\nTOOLS = []\n',
      'requirements.txt': 'not_a_module\n',
    });
    expect(source.health()).toMatchObject({
      status: 'down',
      reason: expect.stringContaining('Run "luna ext install sample"'),
    });
  });

  test('may import each other, and what lies beside and above them', async () => {
    const { call } = await startExtension({
      'tools/a_tools.py':
        'from near import near\nfrom lib.far import far\ndef both(): return near + far\nTOOLS = [both]',
      'tools/near.py': 'near = "near"',
      'lib/far.py': 'far = " and far"',
    });
    expect(textOf(await call('both'))).toBe('near and far');
  });

  test('are run by the Python of their own .venv', async () => {
    const { source, folder, call, write } = await startExtension({
      'tools/a_tools.py': 'import os\ndef own(): return os.environ.get("OWN", "no")\nTOOLS = [own]',
    });
    expect(textOf(await call('own'))).toBe('no');
    await write({ '.venv/bin/python3': '#!/bin/sh\nOWN=yes exec python3 "$@"\n' });
    await chmod(`${folder}/.venv/bin/python3`, 0o755);
    await source.reload();
    expect(textOf(await call('own'))).toBe('yes');
  });
});

test.skipIf(!hasPython)('closing ends Python and the calls in it', async () => {
  const { source, call, log } = await startExtension({ 'tools/a_tools.py': tools });
  const pid = Number(textOf(await call('pid')));
  const blocking = call('block').catch((error) => error);
  await eventually(() => log).toContain('blocking');
  await source.close();
  expect(await blocking).toMatchObject({ code: 'source_unavailable' });
  expect(isAlive(pid)).toBe(false);
  expect(source.health()).toEqual({ status: 'stopped' });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
