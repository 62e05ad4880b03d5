import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { defineTool } from '@luna/core/tools';
import { z } from 'zod';
import { runCommand } from '../lib/command.ts';
import { inWorkspace } from '../lib/workspace.ts';

const templates: Readonly<Record<string, (name: string) => Record<string, string>>> = {
  node: (name) => ({
    'package.json': `${JSON.stringify({ name, version: '0.1.0', type: 'module', scripts: { test: 'node --test' } }, null, 2)}\n`,
    'src/index.js': 'export function greet(name) {\n  return `Hello, ${name}!`;\n}\n',
    'test/index.test.js':
      "import assert from 'node:assert/strict';\nimport { test } from 'node:test';\nimport { greet } from '../src/index.js';\n\ntest('greets', () => assert.equal(greet('Ada'), 'Hello, Ada!'));\n",
  }),
  python: (name) => ({
    'pyproject.toml': `[project]\nname = "${name}"\nversion = "0.1.0"\n`,
    [`${name.replaceAll('-', '_')}/__init__.py`]: 'def greet(name):\n    return f"Hello, {name}!"\n',
    'tests/test_greet.py': `import unittest\n\nfrom ${name.replaceAll('-', '_')} import greet\n\n\nclass GreetTest(unittest.TestCase):\n    def test_greet(self):\n        self.assertEqual(greet("Ada"), "Hello, Ada!")\n`,
  }),
  web: (name) => ({
    'index.html': `<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>${name}</title>\n<h1>${name}</h1>\n<script type="module" src="main.js"></script>\n</html>\n`,
    'main.js': "document.querySelector('h1').title = 'It works.';\n",
  }),
};

export const TOOLS = [
  defineTool({
    name: 'scaffold_project',
    description: 'Makes the files of a small new project in the workspace: node, python or web.',
    input: z.object({
      name: z
        .string()
        .regex(/^[a-z][a-z0-9-]{0,60}$/)
        .describe('Small letters, digits and hyphens.'),
      template: z.enum(['node', 'python', 'web']),
    }),
    handler: async ({ name, template }, { dataDir }) => {
      const folder = await inWorkspace(dataDir, name);
      if ((await readdir(folder).catch(() => [])).length > 0) return [false, `There is something in ${name} already.`];
      const files = templates[template]?.(name) ?? {};
      for (const [path, text] of Object.entries(files)) {
        await mkdir(dirname(join(folder, path)), { recursive: true });
        await writeFile(join(folder, path), text);
      }
      return { folder: name, files: Object.keys(files) };
    },
  }),
  defineTool({
    name: 'run_tests',
    description:
      'Runs the tests of a project in the workspace with a command that is allowed, and tells how they went.',
    input: z.object({
      folder: z.string().describe('The folder of the project, within the workspace.'),
      command: z.string().default('node --test').describe('As it is allowed in DEV_TOOLS_TEST_COMMANDS.'),
      timeout_seconds: z.number().positive().max(1_800).default(300),
    }),
    handler: async ({ folder, command, timeout_seconds }, { dataDir, signal }) => {
      const allowed = (process.env.DEV_TOOLS_TEST_COMMANDS ?? 'node --test,npm test,python3 -m unittest')
        .split(',')
        .map((one) => one.trim());
      if (!allowed.includes(command))
        return [false, `"${command}" is not allowed. Allowed are: ${allowed.join(', ')}.`];
      const [program = '', ...args] = command.split(' ').filter(Boolean);
      const outcome = await runCommand(program === 'node' ? process.execPath : program, args, {
        cwd: await inWorkspace(dataDir, folder),
        timeoutMs: timeout_seconds * 1_000,
        maxOutputBytes: 500_000,
        signal,
      });
      return {
        passed: outcome.code === 0,
        exit_code: outcome.code,
        ended_by: outcome.endedBy,
        output: outcome.output.slice(-20_000),
        errors: outcome.errors.slice(-20_000),
      };
    },
  }),
];
