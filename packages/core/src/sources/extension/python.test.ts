import { describe, expect, test } from 'vitest';
import { eventually } from '../../../test/fixtures/eventually.ts';
import { startExtension } from '../../../test/fixtures/extension-folder.ts';
import { hasPython } from '../../../test/fixtures/python.ts';
import { Cancellation, type ToolResult } from '../../tools/index.ts';

const textOf = ({ content }: ToolResult) => content.map((block) => block.text).join('');
const start = (code: string, options: Parameters<typeof startExtension>[1] = {}) =>
  startExtension({ 'tools/a_tools.py': code }, options);

describe.skipIf(!hasPython)('Python tools', () => {
  test('of the old convention work as they are', async () => {
    const { source, call } = await start(`
import json
from typing import Optional
SYSTEM_PROMPT = "Greet people."
def greet(name: str, times: int = 1, title: Optional[str] = None) -> tuple[bool, str]:
    """Greets somebody.
    In two lines.

    Example Prompt: Greet Ada
    Example Response: {"text": "Hello Ada"}
    Example Args: {"name": "Ada"}

    Args:
        name (str): Whom to greet.
        times: How often,
            as a number.
    """
    if name == "": return False, json.dumps({"error": "nobody"})
    return True, {"text": " ".join(["Hello " + name] * times), "title": title}
TOOLS = [greet]
`);
    expect(source.health()).toEqual({ status: 'ready' });
    expect(source.systemPrompt).toBe('Greet people.');
    expect(source.list()).toEqual([
      {
        name: 'greet',
        description:
          'Greets somebody.\nIn two lines.\n\nExamples:\n- "Greet Ada" → arguments {"name":"Ada"} → answer {"text":"Hello Ada"}',
        inputSchema: {
          type: 'object',
          properties: {
            name: { type: 'string', description: 'Whom to greet.' },
            times: { type: 'integer', default: 1, description: 'How often, as a number.' },
            title: { type: ['string', 'null'] },
          },
          additionalProperties: false,
          required: ['name'],
        },
      },
    ]);
    expect((await call('greet', { name: 'Ada', times: 2 })).structuredContent).toEqual({
      text: 'Hello Ada Hello Ada',
      title: null,
    });
    const failed = await call('greet', { name: '' });
    expect([failed.isError, textOf(failed)]).toEqual([true, '{"error": "nobody"}']);
    const wrong = await call('greet', { name: 7 });
    expect([wrong.isError, textOf(wrong)]).toEqual([true, expect.stringContaining('must be string')]);
    expect((await call('greet', {})).isError).toBe(true);
  });

  test('hints become schemas, and values of those types', async () => {
    const { source, call } = await start(`
import dataclasses, datetime, enum
from typing import Any, Annotated, Dict, List, Literal, Optional, Set, Tuple, TypedDict, Union
class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"
@dataclasses.dataclass
class Point:
    x: int
    y: int = 0
class Row(TypedDict, total=False):
    name: str
def all(a: float, b: List[int], c: Dict[str, int], d: Union[int, str], e: Literal["x", 1], f: Color, g: Point,
        h: Row, i: Tuple[int, str], j: Any, k: Annotated[str, "Words."], l: Optional[List[Point]] = None,
        m: "list[str] | None" = None, n: datetime.date = None, *rest, o: Set[int] = (), **more):
    return {"f": f.name, "g": [g.x, g.y], "l": [p.x for p in l or []], "o": sorted(o), "a": type(a).__name__, "i": i, "more": more, "point": g, "day": datetime.date(2026, 1, 2)}
TOOLS = [all]
`);
    expect(source.health()).toEqual({ status: 'ready' });
    const point = { type: 'object', properties: { x: { type: 'integer' }, y: { type: 'integer' } }, required: ['x'] };
    expect(source.list()[0]?.inputSchema).toMatchObject({
      properties: {
        a: { type: 'number' },
        b: { type: 'array', items: { type: 'integer' } },
        c: { type: 'object', additionalProperties: { type: 'integer' } },
        d: { type: ['integer', 'string'] },
        e: { enum: ['x', 1] },
        f: { enum: ['red', 'blue'] },
        g: point,
        h: { type: 'object', properties: { name: { type: 'string' } } },
        i: { type: 'array', minItems: 2, maxItems: 2 },
        j: {},
        k: { type: 'string', description: 'Words.' },
        l: { anyOf: [{ type: 'array', items: point }, { type: 'null' }] },
        n: { type: 'string' },
      },
      additionalProperties: true,
      required: ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k'],
    });
    const args = {
      a: 1,
      b: [1],
      c: {},
      d: 'x',
      e: 1,
      f: 'blue',
      g: { x: 1 },
      h: {},
      i: [1, 'a'],
      j: null,
      k: 'k',
      l: [{ x: 5 }],
      o: [3, 1],
      extra: 'e',
    };
    expect((await call('all', args)).structuredContent).toEqual({
      f: 'BLUE',
      g: [1, 0],
      l: [5],
      o: [1, 3],
      a: 'float',
      i: [1, 'a'],
      more: { extra: 'e' },
      point: { x: 1, y: 0 },
      day: '2026-01-02',
    });
  });

  test.each<[string, unknown]>([
    ['"text"', { content: [{ type: 'text', text: 'text' }] }],
    ['7', { content: [{ type: 'text', text: '7' }] }],
    ['None', { content: [] }],
    ['[1, 2]', { content: [{ type: 'text', text: '[1,2]' }] }],
    ['(True, None)', { content: [] }],
    ['(False, "no")', { content: [{ type: 'text', text: 'no' }], isError: true }],
    ['{"content": [{"type": "image", "data": "AQ==", "mimeType": "image/png"}]}', { content: [{ type: 'image' }] }],
    ['float("nan")', { isError: true }],
  ])('that return %s', async (expression, expected) => {
    const { call } = await start(`def get(): return ${expression}\nTOOLS = [get]`);
    expect(await call('get')).toMatchObject(expected as object);
  });

  test('run at one time, async ones too, and what they print goes to the log', async () => {
    const { call, log } = await start(`
import asyncio, subprocess, threading
barrier = threading.Barrier(3)
started = []
def meet(n: int):
    print("meeting", n)
    barrier.wait(5)
    return n
async def wait(n: int):
    started.append(n)
    while len(started) < 3: await asyncio.sleep(0.001)
    return n
def shell(): subprocess.run(["echo", "from a child"]); return "done"
TOOLS = [meet, wait, shell]
`);
    for (const name of ['meet', 'wait']) {
      const results = await Promise.all([1, 2, 3].map((n) => call(name, { n })));
      expect(results.map(textOf)).toEqual(['1', '2', '3']);
    }
    expect(textOf(await call('shell'))).toBe('done');
    await eventually(() => log).toEqual(expect.arrayContaining(['meeting 2', 'from a child']));
  });

  test('an exception is a failure in words, and its place is in the log', async () => {
    const { call, log } = await start(`\ndef fail():\n    raise ValueError("no such thing")\nTOOLS = [fail]`);
    const result = await call('fail');
    expect([result.isError, textOf(result)]).toEqual([true, 'fail failed: ValueError: no such thing']);
    await eventually(() => log.join('\n')).toMatch(/a_tools\.py", line 3, in fail/);
  });

  test('get the secrets that the manifest asks for, and no others', async () => {
    const { call } = await startExtension(
      {
        'config.json': '{"required_secrets":["MINE"]}',
        'tools/a_tools.py':
          'import os\ndef env(): return {"mine": os.environ.get("MINE"), "other": os.environ.get("OTHER"), "node": os.environ.get("npm_execpath")}\nTOOLS = [env]',
      },
      { secrets: async () => ({ MINE: 'a', OTHER: 'b' }) },
    );
    expect((await call('env')).structuredContent).toEqual({ mine: 'a', other: null, node: null });
  });

  test('are swapped live; a broken version is told with its line and leaves the last good one', async () => {
    const { source, call, write } = await start('def get(): return "one"\nTOOLS = [get]');
    await write({ 'tools/a_tools.py': 'def get(): return "two"\ndef more(): return 1\nTOOLS = [get, more]' });
    await source.reload();
    expect([textOf(await call('get')), source.list().length]).toEqual(['two', 2]);
    for (const [code, why] of [
      ['def get(:\n  pass', /a_tools\.py:1: /],
      ['x = 1\nraise RuntimeError("oh")', /a_tools\.py:2: RuntimeError: oh/],
      ['y = 1', /set TOOLS to a list of functions/],
      ['TOOLS = [7]', /is not a function/],
      ['import not_there_at_all', /No module named/],
    ] as const) {
      await write({ 'tools/a_tools.py': code });
      await source.reload();
      expect(source.health()).toMatchObject({ status: 'degraded', reason: expect.stringMatching(why) });
      expect(textOf(await call('get'))).toBe('two');
    }
  });

  test('stand beside TypeScript tools in one extension', async () => {
    const { source, call } = await startExtension({
      'tools/a_tools.py': 'def snake(): return "py"\nTOOLS = [snake]',
      'tools/b_tools.ts': 'export const TOOLS = [{ name: "type", description: "x", handler: () => "ts" as string }];',
    });
    expect(source.list().map(({ name }) => name)).toEqual(['type', 'snake']);
    expect([textOf(await call('snake')), textOf(await call('type'))]).toEqual(['py', 'ts']);
  });

  test('a crash fails what is under way at once, and Python is started again', async () => {
    const { source, call } = await start(
      'import os, time\ndef die(): os._exit(3)\ndef get(): return os.getpid()\ndef wait(): time.sleep(60)\nTOOLS = [die, get, wait]',
    );
    const before = textOf(await call('get'));
    const waiting = call('wait').catch((error) => error);
    await expect(call('die')).rejects.toThrow(/exit code 3/);
    expect(await waiting).toMatchObject({ code: 'source_unavailable' });
    await eventually(() => source.health().status).toBe('ready');
    expect(textOf(await call('get'))).not.toBe(before);
  });

  test('a call that is cancelled ends; a thread that cannot be is ended with its process', async () => {
    const { source, call } = await start(
      'import asyncio, os, time\nasync def nap(): await asyncio.sleep(60)\ndef stuck(): time.sleep(600)\ndef pid(): return os.getpid()\nTOOLS = [nap, stuck, pid]',
    );
    const pid = textOf(await call('pid'));
    for (const name of ['nap', 'stuck']) {
      const cancellation = new Cancellation();
      const outcome = call(name, {}, { cancellation });
      setImmediate(() => cancellation.cancel('by the test'));
      await expect(outcome).rejects.toMatchObject({ code: 'cancelled' });
      if (name === 'nap') expect(textOf(await call('pid'))).toBe(pid);
    }
    await eventually(async () => (source.health().status === 'ready' ? textOf(await call('pid')) : pid)).not.toBe(pid);
  });
});
