import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { hasPython } from '../../packages/core/test/fixtures/python.ts';
import { connectHttp } from './support/clients.ts';
import { eventually } from './support/eventually.ts';
import { homeOf, put } from './support/homes.ts';
import { luna, startLuna } from './support/luna-process.ts';

const tool = (answer: string) => `
SYSTEM_PROMPT = "Greet everybody."

def hello(name: str):
    """Greets.

    Example Prompt: Greet Ada
    Example Args: {"name": "Ada"}
    Example Response: Hello, Ada
    """
    return (True, {"said": "${answer} " + name})

TOOLS = [hello]
`;

/** Makes a package of Python that can be installed without a network. */
const makeWheel = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1] + "/lunahelper-1.0-py3-none-any.whl", "w") as wheel:
    wheel.writestr("lunahelper.py", "word = 'from the helper'")
    info = "lunahelper-1.0.dist-info/"
    wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: lunahelper\\nVersion: 1.0\\n")
    wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    wheel.writestr(info + "RECORD", "lunahelper.py,,\\n" + info + "METADATA,,\\n" + info + "WHEEL,,\\n" + info + "RECORD,,\\n")
`;

describe.skipIf(!hasPython)('Python in a whole Luna', () => {
  test('a file is served, shown with its prompt and examples, and swapped while clients are connected', async () => {
    const running = await startLuna(await homeOf({ 'extensions/greet/tools/greet_tools.py': tool('Hello,') }));
    const client = await connectHttp('sdk 1.x, 2025-11-25', running);
    expect(await client.call('hello', { name: 'Ada' })).toMatchObject({ structuredContent: { said: 'Hello, Ada' } });

    const { sources } = await (await running.api('GET', 'tools/all')).json();
    expect(sources).toMatchObject([
      {
        id: 'greet',
        systemPrompt: 'Greet everybody.',
        tools: [{ name: 'hello', examples: [{ prompt: 'Greet Ada', args: { name: 'Ada' }, response: 'Hello, Ada' }] }],
      },
    ]);

    const changed = client.nextListChange();
    await put(
      running.home,
      'extensions/greet/tools/greet_tools.py',
      tool('Good day,').replace('Greets.', 'Greets well.'),
    );
    await changed;
    expect(await client.call('hello', { name: 'Ada' })).toMatchObject({ structuredContent: { said: 'Good day, Ada' } });

    await put(running.home, 'extensions/greet/tools/greet_tools.py', 'def hello(:\n');
    const health = async () => (await (await running.api('GET', 'tools/all')).json()).sources[0].health;
    await eventually(async () =>
      expect(await health()).toMatchObject({
        status: 'degraded',
        reason: expect.stringMatching(/greet_tools\.py:1: .*last good version goes on serving/),
      }),
    );
    expect(await client.call('hello', { name: 'Ada' })).toMatchObject({ structuredContent: { said: 'Good day, Ada' } });
  });

  test('what requirements.txt names goes into a .venv, and the Luna that runs takes it over', async () => {
    const running = await startLuna(
      await homeOf({
        'extensions/deps/tools/deps_tools.py':
          'import lunahelper\ndef word(): return lunahelper.word\nTOOLS = [word]\n',
        'extensions/deps/requirements.txt': './lunahelper-1.0-py3-none-any.whl\n',
      }),
    );
    const folder = join(running.home, 'extensions', 'deps');
    const health = async () => (await (await running.api('GET', 'tools/all')).json()).sources[0].health;
    expect(await health()).toMatchObject({
      status: 'down',
      reason: expect.stringContaining('Run "luna ext install deps"'),
    });

    await promisify(execFile)('python3', ['-c', makeWheel, folder]);
    const installed = await luna(['ext', 'install', 'deps', '--home', running.home, '--json']);
    expect([installed.code, JSON.parse(installed.stdout)]).toMatchObject([0, [{ what: 'pip' }, { what: 'pip' }]]);
    await eventually(async () => expect(await health()).toMatchObject({ status: 'ready' }));
    const called = await running.api('POST', 'tools/call', { name: 'word', args: {} });
    expect((await called.json()).result.content).toEqual([{ type: 'text', text: 'from the helper' }]);
    expect(await readFile(join(folder, '.venv', 'pyvenv.cfg'), 'utf8')).toContain('version');
  });
});
