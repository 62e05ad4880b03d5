import { describe, expect, test } from 'vitest';
import { startExtension, textOf } from '../../../../test/fixtures/extension-folder.ts';
import { hasPython, pythonHas } from '../../../../test/fixtures/python.ts';

const imports = `
from __future__ import annotations
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Dict, List, Literal, Optional, Tuple, TypedDict, Union

class Color(Enum):
    RED = "red"
    BLUE = "blue"

@dataclass
class Point:
    x: int
    y: int = 2

@dataclass
class Tree:
    name: str
    below: List[Tree] = field(default_factory=list)

class Person(TypedDict, total=False):
    name: str
    age: int
`;

/** hint → its schema; arguments that fit, and how Python prints them; arguments that do not. */
const hints: Record<string, [schema: object, fits: [unknown, string][], wrong: unknown[]]> = {
  str: [{ type: 'string' }, [['a', "'a'"]], [1, null]],
  int: [{ type: 'integer' }, [[3, '3']], [1.5, '1', true]],
  float: [
    { type: 'number' },
    [
      [3, '3.0'],
      [0.5, '0.5'],
    ],
    ['1'],
  ],
  bool: [{ type: 'boolean' }, [[true, 'True']], [1, 'true']],
  list: [{ type: 'array' }, [[[1, 'a'], "[1, 'a']"]], [{}]],
  'list[int]': [{ type: 'array', items: { type: 'integer' } }, [[[1, 2], '[1, 2]']], [['a'], 1]],
  'Dict[str, float]': [
    { type: 'object', additionalProperties: { type: 'number' } },
    [[{ a: 1 }, "{'a': 1.0}"]],
    [{ a: 'b' }, []],
  ],
  'Tuple[int, str]': [
    { type: 'array', prefixItems: [{ type: 'integer' }, { type: 'string' }], minItems: 2, maxItems: 2 },
    [[[1, 'a'], "(1, 'a')"]],
    [[1], ['a', 1]],
  ],
  'set[str]': [{ type: 'array', items: { type: 'string' } }, [[['a', 'a'], "{'a'}"]], [[1]]],
  'Optional[int]': [
    { type: ['integer', 'null'] },
    [
      [null, 'None'],
      [1, '1'],
    ],
    ['a'],
  ],
  'Union[int, Point]': [
    {
      anyOf: [
        { type: 'integer' },
        {
          type: 'object',
          properties: { x: { type: 'integer' }, y: { type: 'integer' } },
          required: ['x'],
          additionalProperties: false,
        },
      ],
    },
    [
      [7, '7'],
      [{ x: 1 }, 'Point(x=1, y=2)'],
    ],
    ['a', { y: 1 }, { x: 1, z: 1 }],
  ],
  'Literal["a", 1]': [
    { enum: ['a', 1] },
    [
      ['a', "'a'"],
      [1, '1'],
    ],
    ['b', 2],
  ],
  Color: [{ type: 'string', enum: ['red', 'blue'] }, [['red', "<Color.RED: 'red'>"]], ['green']],
  Person: [
    {
      type: 'object',
      properties: { name: { type: 'string' }, age: { type: 'integer' } },
      additionalProperties: false,
    },
    [[{ age: 3 }, "{'age': 3}"]],
    [{ age: 'old' }, { size: 1 }],
  ],
  date: [{ type: 'string', format: 'date' }, [['2024-02-29', 'datetime.date(2024, 2, 29)']], ['2023-02-29', 7]],
  Path: [{ type: 'string' }, [['a/b', "PosixPath('a/b')"]], [1]],
  'Annotated[int, "How many."]': [{ type: 'integer', description: 'How many.' }, [[1, '1']], ['a']],
  Any: [{}, [[{ a: [1] }, "{'a': [1]}"]], []],
  '"Unknown"': [{}, [['x', "'x'"]], []],
};

describe.skipIf(!hasPython)('type hints', () => {
  test.each(Object.entries(hints))('%s', async (hint, [schema, fits, wrong]) => {
    const { source, call } = await startExtension({
      'tools/a_tools.py': `${imports}\ndef show(value: ${hint}):\n    return repr(value)\n\nTOOLS = [show]\n`,
    });
    expect(source.health()).toEqual({ status: 'ready' });
    expect(source.list()[0]?.inputSchema).toEqual({
      type: 'object',
      properties: { value: schema },
      required: ['value'],
      additionalProperties: false,
    });
    for (const [value, shown] of fits) expect(textOf(await call('show', { value }))).toBe(shown);
    for (const value of wrong) {
      const result = await call('show', { value });
      expect(result, JSON.stringify(value)).toMatchObject({ isError: true });
      expect(textOf(result)).toMatch(/do not fit/);
    }
  });

  test('that contain themselves are definitions', async () => {
    const { source, call } = await startExtension({
      'tools/a_tools.py': `${imports}\ndef show(tree: Tree):\n    return repr(tree)\n\nTOOLS = [show]\n`,
    });
    expect(source.list()[0]?.inputSchema).toMatchObject({
      properties: { tree: { $ref: '#/$defs/Tree' } },
      $defs: { Tree: { properties: { below: { type: 'array', items: { $ref: '#/$defs/Tree' } } } } },
    });
    expect(textOf(await call('show', { tree: { name: 'a', below: [{ name: 'b' }] } }))).toBe(
      "Tree(name='a', below=[Tree(name='b', below=[])])",
    );
    expect(await call('show', { tree: { name: 'a', below: [{}] } })).toMatchObject({ isError: true });
  });

  // Pydantic is no part of Python; where it is not installed there is nothing to be tested.
  test.skipIf(!pythonHas('pydantic'))('may be models of pydantic', async () => {
    const { source, call } = await startExtension({
      'tools/a_tools.py': `
from typing import List
from pydantic import BaseModel, Field

class Line(BaseModel):
    text: str
    times: int = Field(default=1, ge=1)

class Order(BaseModel):
    lines: List[Line]

def order(order: Order, other: Line = None) -> Order:
    return order

TOOLS = [order]
`,
    });
    expect(source.list()[0]?.inputSchema).toMatchObject({
      properties: { order: { properties: { lines: { items: { $ref: '#/$defs/Order_Line' } } } } },
      $defs: { Order_Line: { properties: { times: { minimum: 1 } } } },
    });
    const made = await call('order', { order: { lines: [{ text: 'a' }] } });
    expect(made.structuredContent).toEqual({ lines: [{ text: 'a', times: 1 }] });
    expect(await call('order', { order: { lines: [{ text: 'a', times: 0 }] } })).toMatchObject({ isError: true });
  });

  test('are not needed, and defaults, keywords and positions are kept', async () => {
    const { source, call } = await startExtension({
      'tools/a_tools.py': `
def show(a, /, b=2, *more, c: int = 3, d=(1, 2), **others):
    return [a, b, c, list(d), others]

def nothing():
    return 1

TOOLS = [show, nothing]
`,
    });
    expect(source.list().map(({ inputSchema }) => inputSchema)).toEqual([
      {
        type: 'object',
        properties: { a: {}, b: { default: 2 }, c: { type: 'integer', default: 3 }, d: {} },
        required: ['a'],
        additionalProperties: true,
      },
      { type: 'object', properties: {}, additionalProperties: false },
    ]);
    expect(textOf(await call('show', { a: 1, e: 'x' }))).toBe('[1,2,3,[1,2],{"e":"x"}]');
    expect(await call('nothing', { x: 1 })).toMatchObject({ isError: true });
  });
});

test.skipIf(!hasPython)('docstrings tell what a tool does, examples, and what arguments mean', async () => {
  const { source } = await startExtension({
    'tools/a_tools.py': `
SYSTEM_PROMPT = "Weather is for today."

def weather(city: str, unit: str = "C", *, days: int = 1):
    """Tells the weather.

    Asks nobody.

    Example Prompt: How is it in Rome?
    Example Args: {"city": "Rome"}
    Example Response:
        {"degrees": 21,
         "sky": "clear"}

    Args:
        city (str): The city, such as Rome
            or Oslo.
        unit: C or F.
        days - How many days.
    Returns:
        The weather.
    """

def plain_tool():
    pass

def inline(a: int):
    """Does.
    Example Prompt: "Do it"
    Example Response: done
    Args: {"a": "A number"}"""

TOOLS = [weather, plain_tool, inline]
`,
  });
  const [weather, plain, inline] = source.list();
  expect(source.systemPrompt).toBe('Weather is for today.');
  expect(weather?.description).toBe(
    'Tells the weather.\n\nAsks nobody.\n\nExamples:\n- "How is it in Rome?" → arguments {"city":"Rome"} → answer {"degrees":21,"sky":"clear"}',
  );
  expect(source.examplesOf('weather')).toEqual([
    { prompt: 'How is it in Rome?', args: { city: 'Rome' }, response: { degrees: 21, sky: 'clear' } },
  ]);
  expect(weather?.inputSchema.properties).toEqual({
    city: { type: 'string', description: 'The city, such as Rome or Oslo.' },
    unit: { type: 'string', description: 'C or F.', default: 'C' },
    days: { type: 'integer', description: 'How many days.', default: 1 },
  });
  expect(plain?.description).toBe('plain tool');
  expect(inline?.inputSchema.properties).toEqual({ a: { type: 'integer', description: 'A number' } });
  expect(source.examplesOf('inline')).toEqual([{ prompt: 'Do it', response: 'done' }]);
  expect(source.examplesOf('nobody')).toEqual([]);
});
