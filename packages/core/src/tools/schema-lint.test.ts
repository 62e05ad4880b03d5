import { describe, expect, test } from 'vitest';
import { testSource } from '../../test/test-source.ts';
import { PatternJudge, problemOfPattern } from './hostile-pattern.ts';
import { lintTool, schemaReview } from './schema-lint.ts';
import type { JsonSchema, Tool } from './tool.ts';

const toolOf = (inputSchema: unknown, rest: object = {}): Tool =>
  ({ name: 'odd', description: 'A tool.', inputSchema, ...rest }) as Tool;
const property = (schema: unknown): JsonSchema => ({ type: 'object', properties: { x: schema } });

/** What takes this long is not merely slow, on whatever machine: in milliseconds. */
const hangMs = 20_000;

/** A schema in a schema in a schema. */
function nested(depth: number): JsonSchema {
  let schema: JsonSchema = { type: 'string' };
  for (let level = 0; level < depth; level++) schema = { type: 'object', properties: { x: schema } };
  return schema;
}

/** A list in a list in a list. */
function deepList(depth: number): unknown {
  let list: unknown = 0;
  for (let level = 0; level < depth; level++) list = [list];
  return list;
}

describe('a sound tool is left as it is', () => {
  test.each<[string, JsonSchema]>([
    ['no arguments', { type: 'object' }],
    ['words of its own', { type: 'object', 'x-vendor': { anything: [1, { $ref: 'kept as data' }] } }],
    ['a definition', { type: 'object', $defs: { a: { type: 'string' } }, properties: { x: { $ref: '#/$defs/a' } } }],
    ['a tree', { type: 'object', properties: { children: { type: 'array', items: { $ref: '#' } } } }],
    ['an anchor', { type: 'object', $defs: { a: { $anchor: 'here' } }, properties: { x: { $ref: '#here' } } }],
    [
      'a pointer with escapes',
      { type: 'object', $defs: { 'a/b~c': {} }, properties: { x: { $ref: '#/$defs/a~1b~0c' } } },
    ],
    ['draft 7', { $schema: 'http://json-schema.org/draft-07/schema#', type: 'object', definitions: { a: true } }],
    ['an unknown language', { $schema: 'https://example.com/own', ...property({ type: 'decimal' }) }],
    ['a property named $ref', property({ type: 'object', properties: { $ref: { type: 'string' } } })],
    ['a property named __proto__', JSON.parse('{"type":"object","properties":{"__proto__":{"type":"string"}}}')],
    ['a sound pattern', property({ type: 'string', pattern: '^([a-z0-9]+-)*[a-z0-9]+$' })],
    ['an id', { $id: 'https://example.com/schema', type: 'object' }],
    ['nested, but not too deep', nested(30)],
  ])('%s', (_what, schema) => {
    const tool = toolOf(schema);
    expect(lintTool(tool)).toEqual({ tool });
    expect(lintTool(tool).tool).toBe(tool);
  });
});

test('fields that are null are left out, and said; those that MCP does not name stay', () => {
  const odd = { title: null, description: null, outputSchema: null, _meta: null, 'x-own': null };
  const tool = toolOf({ type: 'object' }, { ...odd, annotations: { title: null, readOnlyHint: true, own: null } });
  expect(lintTool(tool)).toEqual({
    tool: {
      name: 'odd',
      inputSchema: { type: 'object' },
      annotations: { readOnlyHint: true, own: null },
      'x-own': null,
    },
    note: 'It is shown without what was null: description, title, outputSchema, _meta, annotations.title.',
  });
});

describe('a tool is held back', () => {
  test.each<[string, unknown, RegExp]>([
    ['no schema', undefined, /is not there/],
    ['a schema that is text', 'object', /is not there/],
    ['a schema that is a list', [], /is not there/],
    ['an array', { type: 'array' }, /type/],
    ['two types', { type: ['object', 'null'] }, /type/],
    [
      'a reference to the web',
      property({ $ref: 'https://evil.example/schema.json' }),
      /leads out of itself, to "https/,
    ],
    ['a reference to a file', property({ $ref: 'file:///etc/passwd' }), /leads out of itself/],
    ['a reference to nothing', property({ $ref: '#/$defs/none' }), /is not there/],
    ['a reference through the prototype', property({ $ref: '#/constructor' }), /is not there/],
    ['a reference that cannot be decoded', property({ $ref: '#/%E0%A4%A' }), /is not there/],
    ['a reference that is a number', property({ $ref: 7 }), /no text/],
    ['a depth that nobody reads', nested(90), /deeper than 64/],
    ['a depth that breaks the stack', nested(20_000), /deeper than 200/],
    ['a default that breaks the stack', property({ default: deepList(20_000) }), /deeper than 200/],
    ['an example that breaks the stack', { type: 'object', examples: [deepList(20_000)] }, /deeper than 200/],
    ['a default without end', property({ default: Array(30_000).fill(0) }), /more than 20000 parts/],
    [
      'more patterns than anybody wrote',
      {
        type: 'object',
        properties: Object.fromEntries(Array.from({ length: 200 }, (_, n) => [n, { pattern: `^${n}$` }])),
      },
      /more than 100 patterns/,
    ],
    ['too many parts', property({ enum: Array(30_000).fill('x') }), /more than 20000 parts/],
    ['a text without end', property({ description: 'x'.repeat(2_000_000) }), /longer than/],
    ['properties that are a list', { type: 'object', properties: [] }, /properties/],
    ['a type that does not exist', property({ type: 'text' }), /not legal at \/properties\/x\/type/],
    ['a required that is text', { type: 'object', required: 'x' }, /required/],
    ['a negative length', property({ type: 'string', minLength: -1 }), /minLength/],
    ['an enum that is none', property({ enum: 'a' }), /enum/],
  ])('%s', (_what, schema, why) => {
    expect(lintTool(toolOf(schema)).heldBack).toMatch(why);
  });

  test.each([
    ['a description that is a number', { description: 7 }],
    ['a title that is a list', { title: [] }],
  ])('%s', (_what, rest) => {
    expect(lintTool(toolOf({ type: 'object' }, rest)).heldBack).toMatch(/not as MCP wants a tool/);
  });
});

describe('a tool is mended', () => {
  test('where its schema does not say that it is an object', () => {
    const { tool, note, heldBack } = lintTool(toolOf({ properties: { x: { type: 'string' } } }));
    expect(tool.inputSchema).toEqual({ type: 'object', properties: { x: { type: 'string' } } });
    expect([note, heldBack]).toEqual([expect.stringContaining('describes an object'), undefined]);
  });

  test.each(['(unclosed', '[z-a]', '^(a+)+$', '(a|aa)+$', '^(\\w+\\s?)*$', '(.*)*x', 'x'.repeat(5_000)])(
    'where a pattern is bad: %s',
    (pattern) => {
      const { tool, note } = lintTool(toolOf(property({ type: 'string', pattern, minLength: 1 })));
      expect(tool.inputSchema).toEqual(property({ type: 'string', minLength: 1 }));
      expect(note).toContain('pattern');
    },
  );

  test('where the pattern of a name is bad', () => {
    const schema = { type: 'object', patternProperties: { '(a+)+$': {}, '^x-': { type: 'string' } } };
    expect(lintTool(toolOf(schema)).tool.inputSchema).toEqual({
      type: 'object',
      patternProperties: { '^x-': { type: 'string' } },
    });
  });

  test('where its output schema is broken: that is left out', () => {
    const { tool, note } = lintTool(
      toolOf({ type: 'object' }, { outputSchema: property({ $ref: 'https://x.example' }) }),
    );
    expect(tool).not.toHaveProperty('outputSchema');
    expect(note).toContain('Its output schema leads out of itself');
  });

  test('an output that is no object is legal', () => {
    const tool = toolOf({ type: 'object' }, { outputSchema: { type: 'array', items: { type: 'string' } } });
    expect(lintTool(tool).heldBack).toBeUndefined();
  });
});

describe('patterns', () => {
  test.each([
    '^[a-z]+$',
    '^\\d{4}-\\d{2}-\\d{2}$',
    '^(?:[a-z]+,)*$',
    '^(([^<>()[\\]\\\\.,;:\\s@"]+(\\.[^<>()[\\]\\\\.,;:\\s@"]+)*)|(".+"))@x$',
    '\\p{L}+',
    '^[a-zA-Z0-9._%+-]+@[a-zA-Z0-9.-]+\\.[a-zA-Z]{2,}$',
    '^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$',
    '^(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)(\\.(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)){3}$',
    '^((?!-)[A-Za-z0-9-]{1,63}(?<!-)\\.)+[A-Za-z]{2,6}$',
    '^([+-]?\\d+(\\.\\d+)?)(,[+-]?\\d+(\\.\\d+)?)*$',
    '^\\s*\\S+\\s*$',
    '.*foo.*bar.*',
    '(?:)',
    '^[]$',
    '^[^]*$',
  ])('%s is sound', (pattern) => {
    expect(problemOfPattern(pattern)).toBeUndefined();
  });

  test.each(['*', '(', '[b-a]', '(?<n>a)(?<n>b)', '(?'])('%s is not legal', (pattern) => {
    expect(problemOfPattern(pattern)).toBe('not-legal');
  });

  test.each([
    '^(([a-z])+.)+[A-Z]([a-z])+$',
    '^(0+)+!$',
    '^(ab|ab)*$',
    '^(foo|foo)+$',
    '^(a|b|ab)*$',
    'a*a*a*a*a*a*a*b',
    '^(GET|POST|GETPOST)+$',
    '^([ab][bc]|[ab]b)*$',
    '^(\\.\\-|\\.\\-)*$',
    '^id:(a+)+$',
    '^prefix-(?:[a-z]+\\.?)+@$',
    '^\\d+\\d+\\d+\\d+\\d+$',
    '^[^x]*[^y]*[^z]*[^q]*[^w]*$',
    '^(\\u0041+)+$',
    '^(a?){30}a{30}$',
    '^(a{1,20}){1,20}$',
    '^x(?=(a+)+$)',
    '^(?<n>x+x+)+y$',
    `${'('.repeat(300)}a${'+)'.repeat(300)}+$`,
  ])('%s takes for ever', (pattern) => {
    expect(problemOfPattern(pattern)).toBe('catastrophic');
  });

  const source = { ...testSource('server', []), kind: 'mcp' };
  const withPatterns = (name: string, patterns: readonly string[]): Tool => ({
    name,
    inputSchema: {
      type: 'object',
      properties: Object.fromEntries(patterns.map((pattern, index) => [`p${index}`, { type: 'string', pattern }])),
    },
  });

  test('of one list take little time, however many are bad; those that were not tried are left out by name', () => {
    const tools = Array.from({ length: 40 }, (_, tool) =>
      withPatterns(
        `t${tool}`,
        Array.from({ length: 90 }, (_, index) => `^(x+)+${tool}_${index}$`),
      ),
    );
    const began = performance.now();
    const reviewed = schemaReview()(source, tools);
    expect(performance.now() - began).toBeLessThan(hangMs);
    expect(reviewed[0]?.note).toContain('can take for ever');
    expect(reviewed[39]?.note).toContain('no time to try');
    expect(JSON.stringify(reviewed[39]?.tool)).not.toContain('pattern');
  });

  test('are tried once, and never again', () => {
    const judge = new PatternJudge();
    const { problemOf } = judge.session();
    expect(problemOf('^(a+)+$')).toBe('catastrophic');
    const began = performance.now();
    for (let time = 0; time < 5_000; time++) expect(judge.session(1).problemOf('^(a+)+$')).toBe('catastrophic');
    expect(performance.now() - began).toBeLessThan(hangMs);
    // What there was no time for has its turn with the next list.
    expect(judge.session(0).problemOf('^(b+)+$')).toBe('not-tried');
    expect(judge.session().problemOf('^(b+)+$')).toBe('catastrophic');
  });

  test('of thousands of tools that share one cost next to nothing', () => {
    const tools = Array.from({ length: 5_000 }, (_, index) => withPatterns(`t${index}`, ['^(?:[a-z]+,)*$']));
    const review = schemaReview();
    const began = performance.now();
    expect(review(source, tools).filter(({ note }) => note)).toEqual([]);
    expect(performance.now() - began).toBeLessThan(hangMs);
  });
});

test('thousands of references to anchors are followed in little time', () => {
  const properties = Object.fromEntries(Array.from({ length: 4_000 }, (_, n) => [`p${n}`, { $ref: `#a${n}` }]));
  const $defs = Object.fromEntries(Array.from({ length: 4_000 }, (_, n) => [`d${n}`, { $anchor: `a${n}` }]));
  const began = performance.now();
  expect(lintTool(toolOf({ type: 'object', properties, $defs })).heldBack).toBeUndefined();
  expect(performance.now() - began).toBeLessThan(hangMs);
  expect(lintTool(toolOf({ type: 'object', properties: { x: { $ref: '#none' } }, $defs })).heldBack).toContain('#none');
});
