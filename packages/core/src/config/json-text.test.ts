import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { LunaError } from '../errors/index.ts';
import { editJsonText, parseJsonText } from './json-text.ts';
import { masterConfigSchema } from './schema.ts';

const anything = z.looseObject({});
const parse = (text: string, schema: z.ZodType = anything) => parseJsonText(text, schema, 'f.json');

function errorOf(work: () => unknown): LunaError {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof LunaError) return thrown;
    throw thrown;
  }
  throw new Error('Nothing was thrown.');
}

test('the mark that editors of Windows put in front does no harm, and stays', () => {
  const text = '\ufeff{ "a": 1, // why\r\n "b": 2 }';
  expect(parse(text)).toEqual({ a: 1, b: 2 });
  expect(editJsonText(text, { a: 1, b: 2 }, { a: 1, b: 3 })).toBe('\ufeff{ "a": 1, // why\r\n "b": 3 }');
  expect(errorOf(() => parse('\ufeff{ "a" 1 }'))).toMatchObject({ details: { line: 1, column: 7 } });
});

describe('a wrong text', () => {
  const servers = (server: string) => `{\n  "remote_mcp_servers": {\n    "one": ${server}\n  }\n}`;

  test.each([
    ['line ends of Windows', '{\r\n  "a": 1,\r\n  "b": tru\r\n}', 3, 8],
    ['characters outside of ASCII before it', '{ "日本 🌙": 1, b: 2 }', 1, 15],
    ['a comment that is not closed', '{\n  /* "a": 1\n}', 2, 3],
    ['a text that is not closed', '{\n  "a": "x\n}', 2, 8],
    ['a missing comma', '{\n  "a": 1\n  "b": 2\n}', 3, 3],
    ['something after the end', '{}\n{}', 2, 1],
    ['only white space', ' \n ', 2, 2],
  ])('%s: is told with its place', (_what, text, line, column) => {
    const error = errorOf(() => parse(text));
    expect(error).toMatchObject({ code: 'config_invalid', details: { file: 'f.json', line, column } });
    expect(error.message).toMatch(new RegExp(`^f\\.json:${line}:${column}: `));
  });

  test.each([
    ['neither way of reaching it', servers('{}'), 3, 'remote_mcp_servers.one: give either "url" or "command"'],
    ['a transport that does not fit', servers('{\n "command": "x",\n "transport": "sse" }'), 5, 'transport "stdio"'],
    ['a value of another type', '{\n  // why\n  "mcp_servers": {\n "a": {"enabled": 1}}}', 4, 'mcp_servers.a.enabled'],
    ['a name that is not legal', '{\n  "mcp_servers": {\n    "Not Legal": {}\n  }\n}', 3, 'lower-case letters'],
    ['a short key', '{ "mcp_servers": {\n "a": {\n  "api_key": "short" } } }', 3, 'mcp_servers.a.api_key'],
  ])('%s: a value that does not fit is told with its place and path', (_what, text, line, words) => {
    const error = errorOf(() => parse(text, masterConfigSchema));
    expect(error).toMatchObject({ code: 'config_invalid', details: { line } });
    expect(error.message).toContain(words);
  });

  test('nested ever deeper is refused, and brackets within texts do not count', () => {
    for (const text of ['['.repeat(1_000_000), '{"a":'.repeat(100_000)]) {
      expect(errorOf(() => parse(text)).message).toContain('nested deeper than 100 levels');
    }
    const brackets = '{['.repeat(1_000);
    expect(parse(JSON.stringify({ text: `"${brackets}\\` }))).toEqual({ text: `"${brackets}\\` });
  });
});

describe('keys with a meaning in JavaScript', () => {
  const text = `{
  "__proto__": { "polluted": 1 },
  "mcp_servers": { "constructor": {} },
  "toString": {
    "polluted": 1
  }
}`;

  test('are data or nothing', () => {
    const config = parse(text, masterConfigSchema) as z.infer<typeof masterConfigSchema>;
    expect(Object.keys(config.mcp_servers)).toEqual(['constructor']);
    expect(Object.getPrototypeOf(config)).toBe(Object.prototype);
    for (const object of [{}, config, Object]) expect(object).not.toHaveProperty('polluted');
  });

  test('stay in the text when something else is changed', () => {
    const before = parse(text, masterConfigSchema) as z.infer<typeof masterConfigSchema>;
    const after = structuredClone(before);
    after.public_domain = 'x.example';
    const edited = editJsonText(text, before, after);
    expect(edited).toBe(text.replace('  }\n}', '  },\n  "public_domain": "x.example"\n}'));
  });
});

describe('a changed text', () => {
  const text = `{
  // about a
  "a": { "x": 1, /* y */ "y": [1, 2] },
  "dotted.key": { "deep": { "deeper": true } },

  "last": null // the end
}
`;
  const value = () => ({ a: { x: 1, y: [1, 2] }, 'dotted.key': { deep: { deeper: true } }, last: null });
  const edited = (change: (draft: Record<string, unknown> & ReturnType<typeof value>) => void) => {
    const draft = value();
    change(draft);
    return editJsonText(text, value(), draft);
  };

  test('is the same when nothing changed', () => {
    expect(edited(() => undefined)).toBe(text);
  });

  test('differs only where the value does', () => {
    expect(
      edited((draft) => {
        draft['dotted.key'].deep.deeper = false;
      }),
    ).toBe(text.replace('true', 'false'));
    expect(
      edited((draft) => {
        draft.a.y = [3];
      }),
    ).toMatch(/\/\/ about a\n {2}"a": \{ "x": 1, \/\* y \*\/ "y": \[\n? *3\n? *\] \},/);
  });

  test('takes new keys at the end and loses removed ones, comments kept', () => {
    const grown = edited((draft) => {
      draft.added = { deep: { value: [1] } };
    });
    expect(parse(grown)).toEqual({ ...value(), added: { deep: { value: [1] } } });
    for (const comment of ['// about a', '/* y */', '// the end']) expect(grown).toContain(comment);
    const shrunk = edited((draft) => {
      Reflect.deleteProperty(draft, 'last');
    });
    expect(parse(shrunk)).toEqual({ a: value().a, 'dotted.key': value()['dotted.key'] });
    expect(shrunk).toContain('// about a');
  });

  test('may lose what stands in no text: a default that was never written', () => {
    const before = { ...value(), standard: { on: true, off: false } };
    const after = { ...value(), standard: { on: true } };
    expect(parse(editJsonText(text, before, after))).toEqual(value());
  });

  test('may lose the only key of an object, also where a comma stands behind it', () => {
    for (const only of ['{ "one": 1 }', '{\n  "one": 1,\n}', '{ "one": 1 , // why\n}', '{}']) {
      const edited = editJsonText(
        `{ "servers": ${only}, "kept": 1, }`,
        { servers: { one: 1 }, kept: 1 },
        { servers: {}, kept: 1 },
      );
      expect(parse(edited), edited).toEqual({ servers: {}, kept: 1 });
    }
  });

  test('gains and loses keys that every object of JavaScript has', () => {
    const named = { constructor: { on: true }, toString: 1 };
    expect(parse(editJsonText('{}', {}, named))).toEqual(named);
    expect(parse(editJsonText(JSON.stringify(named), named, {}))).toEqual({});
  });
});

test('whatever changes into whatever, the text says it', () => {
  // Numbers that look random and are the same in every run.
  let state = 11;
  const random = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const keys = ['a', 'b.c', '"', '\n', '', 'é', '0', 'constructor'];
  const make = (depth: number): unknown => {
    const kind = random(depth > 0 ? 7 : 5);
    if (kind < 5) return [null, true, random(1e6) / 7, `t"\\${random(9)}\u2028`, []][kind];
    if (kind === 5) return Array.from({ length: random(3) }, () => make(depth - 1));
    return makeObject(depth - 1);
  };
  const makeObject = (depth: number) =>
    Object.fromEntries(Array.from({ length: random(5) }, () => [keys[random(keys.length)] ?? '', make(depth)]));
  for (let round = 0; round < 500; round++) {
    const before = makeObject(3);
    const after = { ...before, ...makeObject(3) };
    for (const key of Object.keys(after)) if (random(4) === 0) delete after[key];
    const text = `// kept\n${JSON.stringify(before, null, random(5))}`;
    const edited = editJsonText(text, before, after);
    expect(parse(edited), `${text} => ${edited}`).toEqual(after);
    expect(edited).toContain('// kept');
  }
});
