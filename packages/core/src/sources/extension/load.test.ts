import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startExtension, textOf, toolFile } from '../../../test/fixtures/extension-folder.ts';

describe('tool files', () => {
  test('may be TypeScript, JavaScript or modules; other files are not tools', async () => {
    const { source, call } = await startExtension({
      'tools/b_tools.js': toolFile('from_js', '() => "js"'),
      'tools/c_tools.mjs': toolFile('from_mjs', '() => "mjs"'),
      'tools/a_tools.ts': `import { answer, type Answer } from '../lib/answer.ts';
        export const TOOLS = [{ name: 'from_ts', description: 'Typed.', handler: (): Answer => answer }];`,
      'lib/answer.ts': 'export type Answer = string; export const answer: Answer = "ts";',
      'tools/helper.js': 'throw new Error("not a tool file")',
      'tools/a_tools.test.ts': 'throw new Error("not a tool file")',
    });
    expect(source.health()).toEqual({ status: 'ready' });
    expect(source.list()).toEqual(
      ['from_ts', 'from_js', 'from_mjs'].map((name) => ({
        name,
        description: name === 'from_ts' ? 'Typed.' : 'A tool.',
        inputSchema: { type: 'object' },
      })),
    );
    for (const kind of ['ts', 'js', 'mjs']) expect(textOf(await call(`from_${kind}`))).toBe(kind);
  });

  test('are none in a folder without tools, which is no failure', async () => {
    const { source } = await startExtension({ 'README.md': '' });
    expect(source.health()).toEqual({ status: 'ready' });
    expect(source.list()).toEqual([]);
  });

  test('may tell the model something, each its part', async () => {
    const { source } = await startExtension({
      'tools/a_tools.js': `export const SYSTEM_PROMPT = 'Be kind.'; ${toolFile('a', '() => 1')}`,
      'tools/b_tools.js': `export const SYSTEM_PROMPT = 'Be brief.'; ${toolFile('b', '() => 1')}`,
      'tools/c_tools.js': `export const SYSTEM_PROMPT = 7; ${toolFile('c', '() => 1')}`,
    });
    expect(source.systemPrompt).toBe('Be kind.\n\nBe brief.');
  });

  test('show all that they say of a tool', async () => {
    const { source } = await startExtension({
      'tools/a_tools.js': toolFile(
        'a',
        '() => 1',
        `title: 'The A', annotations: { readOnlyHint: true }, output: { type: 'object', 'x-odd': 1 },
         examples: [{ prompt: 'Do it', args: { n: 1 }, response: { ok: true } }, { prompt: 'Just so' }]`,
      ),
    });
    expect(source.list()).toEqual([
      {
        name: 'a',
        title: 'The A',
        description: 'A tool.\n\nExamples:\n- "Do it" → arguments {"n":1} → answer {"ok":true}\n- "Just so"',
        inputSchema: { type: 'object' },
        outputSchema: { type: 'object', 'x-odd': 1 },
        annotations: { readOnlyHint: true },
      },
    ]);
  });
});

describe('arguments', () => {
  const inputs = {
    'a schema of zod': `import { z } from 'zod';
      const input = z.object({ text: z.string().min(2), times: z.number().int().default(2) });`,
    'a JSON Schema': `const input = { type: 'object', required: ['text'], additionalProperties: false, properties: {
      text: { type: 'string', minLength: 2 }, times: { type: 'integer', default: 2 } } };`,
  };

  test.each(Object.entries(inputs))('are checked by %s, with its defaults', async (_kind, input) => {
    const handler = '({ text, times }) => text.repeat(times)';
    const { source, call } = await startExtension({
      'tools/a_tools.js': `${input}\n${toolFile('repeat', handler, 'input')}`,
    });
    expect(source.list()[0]?.inputSchema).toMatchObject({
      type: 'object',
      properties: { text: { type: 'string', minLength: 2 }, times: { type: 'integer', default: 2 } },
      required: ['text'],
    });
    expect(source.list()[0]?.inputSchema).not.toHaveProperty('$schema');
    expect(textOf(await call('repeat', { text: 'ab' }))).toBe('abab');
    expect(textOf(await call('repeat', { text: 'ab', times: 1 }))).toBe('ab');
    for (const [args, word] of [
      [{}, 'text'],
      [{ text: 'a' }, 'text'],
      [{ text: 7 }, 'text'],
      [{ text: 'ab', times: 1.5 }, 'times'],
    ] as const) {
      const result = await call('repeat', args);
      expect(result, JSON.stringify(args)).toMatchObject({ isError: true });
      expect(textOf(result)).toMatch(new RegExp(`^The arguments of repeat do not fit: .*${word}`));
    }
    // The caller's object is not what the handler works on.
    const args = Object.freeze({ text: 'ab' });
    await call('repeat', args);
    expect(args).toEqual({ text: 'ab' });
  });

  test('may change their form in the schema, also one that takes its time', async () => {
    const { call } = await startExtension({
      'tools/a_tools.js': `import { z } from 'zod';
        const input = z.object({ day: z.string().transform(async (day) => new Date(day).getUTCFullYear()) });
        ${toolFile('year', '({ day }) => day + 1', 'input')}`,
    });
    expect(textOf(await call('year', { day: '1999-05-05' }))).toBe('2000');
  });

  test('that no schema describes reach the handler as they are, and cannot pollute', async () => {
    const { call } = await startExtension({
      'tools/a_tools.js': toolFile('keys', '(args) => [Object.keys(args).join(), String({}.polluted)].join("|")'),
    });
    const args = JSON.parse('{ "__proto__": { "polluted": 1 }, "constructor": 1, "a": 2 }');
    expect(textOf(await call('keys', args))).toMatch(/^(__proto__,)?constructor,a\|undefined$/);
  });
});

describe('a handler', () => {
  const shapes = {
    text: ['"hello"', { content: [{ type: 'text', text: 'hello' }] }],
    promised: ['Promise.resolve(7)', { content: [{ type: 'text', text: '7' }] }],
    list: ['[1, 2]', { content: [{ type: 'text', text: '[1,2]' }] }],
    object: ['({ a: 1 })', { content: [{ type: 'text', text: '{"a":1}' }], structuredContent: { a: 1 } }],
    nothing: ['undefined', { content: [] }],
    failure: ['[false, "no luck"]', { content: [{ type: 'text', text: 'no luck' }], isError: true }],
    full: [
      '({ content: [{ type: "hologram", n: 1 }], _meta: { a: 1 }, odd: [null] })',
      { content: [{ type: 'hologram', n: 1 }], _meta: { a: 1 }, odd: [null] },
    ],
    thrown: ['(() => { throw new Error("why") })()', { isError: true, content: [{ text: 'thrown failed: why' }] }],
    rejected: ['Promise.reject("reason")', { isError: true, content: [{ text: 'rejected failed: reason' }] }],
    function: ['() => 1', { isError: true, content: [{ text: expect.stringContaining('function') }] }],
    circular: ['(() => { const a = {}; a.a = a; return a; })()', { isError: true }],
    bigint: ['({ n: 1n })', { isError: true, content: [{ text: expect.stringContaining('BigInt') }] }],
    'unclonable in full': ['({ content: [{ type: "text", text: "x", run() {} }] })', { isError: true }],
  } as const;

  test('may answer in many shapes', async () => {
    const tools = Object.entries(shapes).map(
      ([name, [value]]) => `{ name: '${name}', description: '', handler: () => (${value}) }`,
    );
    const { call } = await startExtension({ 'tools/a_tools.js': `export const TOOLS = [${tools.join(',\n')}];` });
    for (const [name, [, result]] of Object.entries(shapes)) expect(await call(name), name).toMatchObject(result);
  });

  test('gets its folder for data, tells of progress, and keeps its "this"', async () => {
    const { folder, call } = await startExtension({
      'tools/a_tools.js': `export const TOOLS = [{ name: 'a', description: '', word: 'mine', handler(args, { dataDir, progress }) {
        progress({ progress: 1, total: 2, message: 'half' }); return [this.word, dataDir].join(); } }];`,
    });
    const heard: unknown[] = [];
    expect(textOf(await call('a', {}, { onProgress: (progress) => heard.push(progress) }))).toBe(
      `mine,${join(folder, 'data')}`,
    );
    expect(heard).toEqual([{ progress: 1, total: 2, message: 'half' }]);
  });

  test('that is unknown is a failure in words', async () => {
    const { call } = await startExtension({ 'tools/a_tools.js': toolFile('a', '() => 1') });
    expect(await call('b')).toMatchObject({ isError: true, content: [{ text: 'There is no tool "b" here.' }] });
  });

  test('whose schema has another name is told to the author', async () => {
    const { source, log } = await startExtension({
      'tools/a_tools.js': toolFile('a', '() => 1', 'inputSchema: { type: "object" }'),
    });
    expect(source.health()).toEqual({ status: 'ready' });
    await expect
      .poll(() => log.join('\n'))
      .toContain('("a") has "inputSchema", which says nothing to Luna: call it "input"');
  });

  test('that prints is heard of', async () => {
    const { call, log } = await startExtension({
      'tools/a_tools.js': toolFile('a', '() => { console.log("out"); console.error("err"); return 1; }'),
    });
    await call('a');
    await expect.poll(() => [...log].sort()).toEqual(['err', 'out']);
  });
});

describe('what cannot be loaded', () => {
  const good = toolFile('a', '() => 1');

  test.each([
    ['a syntax error in TypeScript', { 'tools/a_tools.ts': 'const a = 1;\nconst b: = 2;\n' }, /a_tools\.ts:2: /],
    ['a syntax error in JavaScript', { 'tools/a_tools.js': 'const a = 1;\n\nconst b = ;\n' }, /a_tools\.js:3: /],
    ['a syntax error in a module', { 'tools/a_tools.mjs': 'const a = {\n' }, /a_tools\.mjs:\d: /],
    [
      'a syntax error in what is imported',
      { 'tools/a_tools.js': `import '../lib/x.js';\n${good}`, 'lib/x.js': '\nlet 7;' },
      /lib\/x\.js:2: /,
    ],
    [
      'a syntax error in TypeScript that is imported',
      { 'tools/a_tools.js': `import '../lib/x.ts';\n${good}`, 'lib/x.ts': '\n\nlet x: = 7;' },
      /lib\/x\.ts:3: /,
    ],
    [
      'an error when it is run',
      { 'tools/a_tools.ts': `const a: number = 1;\nthrow new Error('early');` },
      /a_tools\.ts:2: early$/,
    ],
    [
      'an error within a function of another file',
      { 'tools/a_tools.js': `import { f } from '../lib/x.js';\nf();`, 'lib/x.js': `\nexport function f() { null.x; }` },
      /lib\/x\.js:2: /,
    ],
    ['something thrown that is no error', { 'tools/a_tools.js': `throw 'a word';` }, /a_tools\.js: a word$/],
    ['an import of nothing', { 'tools/a_tools.js': `import './nothing.js';` }, /a_tools\.js: .*nothing\.js/],
    ['no TOOLS', { 'tools/a_tools.js': 'export const tools = [];' }, /a_tools\.js: export an array named TOOLS\.$/],
    ['TOOLS that is no list', { 'tools/a_tools.js': 'export const TOOLS = {};' }, /export an array named TOOLS\.$/],
    ['no object', { 'tools/a_tools.js': 'export const TOOLS = [7];' }, /TOOLS\[0\] is not an object\.$/],
    ['no name', { 'tools/a_tools.js': 'export const TOOLS = [{}];' }, /TOOLS\[0\] has no "name"\.$/],
    [
      'no description',
      { 'tools/a_tools.js': `export const TOOLS = [{ name: 'a' }];` },
      /\("a"\) has no "description"\.$/,
    ],
    [
      'no handler',
      { 'tools/a_tools.js': `export const TOOLS = [{ name: 'a', description: '' }];` },
      /\("a"\) has no "handler" function\.$/,
    ],
    ['an input of another type', { 'tools/a_tools.js': toolFile('a', '() => 1', 'input: 7') }, /"input" is neither/],
    [
      'an input that is no object',
      { 'tools/a_tools.js': toolFile('a', '() => 1', 'input: { type: "array" }') },
      /the root of "input" must describe an object, not "array"\.$/,
    ],
    [
      'an input of zod that is no object',
      { 'tools/a_tools.js': `import { z } from 'zod';\n${toolFile('a', '() => 1', 'input: z.string()')}` },
      /the root of "input" must describe an object, not "string"\.$/,
    ],
    [
      'an input that is no JSON Schema',
      { 'tools/a_tools.js': toolFile('a', '() => 1', 'input: { properties: 7 }') },
      /\("a"\): the input schema is not valid JSON Schema: /,
    ],
    [
      'an input of zod that has no JSON',
      {
        'tools/a_tools.js': `import { z } from 'zod';\n${toolFile('a', '() => 1', 'input: z.object({ at: z.date() })')}`,
      },
      /a_tools\.js: TOOLS\[0\] \("a"\): "input" cannot be told to clients: Date cannot be represented/,
    ],
    ['a name twice in a file', { 'tools/a_tools.js': `${good}TOOLS.push(TOOLS[0]);` }, /a second tool is named "a"\.$/],
    [
      'a name in two files',
      { 'tools/a_tools.js': good, 'tools/b_tools.js': good },
      /b_tools\.js: a second tool is named "a"\.$/,
    ],
    ['an end while loading', { 'tools/a_tools.js': 'process.exit(3);' }, /"sample" did not load: its worker ended/],
    [
      'settings that are broken',
      { 'config.json': '{\n  "version": 7\n}', 'tools/a_tools.js': good },
      /config\.json:2:3: version/,
    ],
  ])('%s: is told with its place', async (_what, files, reason) => {
    const { source, call, log } = await startExtension(files);
    expect(source.health()).toEqual({ status: 'down', reason: expect.stringMatching(reason) });
    expect(source.list()).toEqual([]);
    expect(log.join('\n')).toMatch(reason);
    await expect(call('a')).rejects.toMatchObject({
      code: 'source_unavailable',
      message: expect.stringMatching(reason),
    });
  });

  test('is found in a folder with any name', async () => {
    for (const name of ['100% ünsure #1', 'a b', 'x(1)']) {
      const { source } = await startExtension({ 'tools/a_tools.ts': 'const a: = 1;' }, { name });
      expect(source.health().reason, name).toContain(join(name, 'tools', 'a_tools.ts:1: '));
      const { source: thrown } = await startExtension({ 'tools/a_tools.ts': '\nthrow new Error("early");' }, { name });
      expect(thrown.health().reason, name).toContain(join(name, 'tools', 'a_tools.ts:2: early'));
    }
  });

  test('is the tools folder when it is none', async () => {
    const { source, folder } = await startExtension({ tools: 'a file' });
    expect(source.health()).toMatchObject({ status: 'down', reason: expect.stringContaining('Cannot read the tools') });
    await mkdir(join(folder, 'elsewhere'));
  });
});
