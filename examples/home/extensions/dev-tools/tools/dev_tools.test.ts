import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { callTool } from '../../../test/call-tool.ts';
import { TOOLS as gitTools } from './git_tools.ts';
import { TOOLS as githubTools } from './github_tools.ts';
import { TOOLS as imageTools } from './image_tools.ts';
import { TOOLS as projectTools } from './project_tools.ts';
import { TOOLS as textTools } from './text_tools.ts';

const tools = [...gitTools, ...projectTools, ...imageTools, ...githubTools, ...textTools] as Parameters<
  typeof callTool
>[0];
const hasPython = spawnSync('python3', ['--version']).status === 0;
let dataDir = '';
let workspace = '';

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'luna-dev-tools-'));
  workspace = join(dataDir, 'workspace');
  await mkdir(workspace);
  const before = { ...process.env };
  onTestFinished(async () => {
    for (const key of Object.keys(process.env)) if (!(key in before)) delete process.env[key];
    await rm(dataDir, { recursive: true, force: true });
  });
});

type Given = Record<string, unknown> & { readonly text: string; readonly output?: string; readonly errors?: string };

/** What a tool gives: the fields of its structured content, and its text. */
async function call(name: string, args: unknown = {}): Promise<Given> {
  const { isError, text, structuredContent } = await callTool(tools, name, args, dataDir);
  return { ...(structuredContent as object | undefined), text, ...(isError && { isError }) };
}

/** Serves the repositories in a folder by git's own program for it; returns host and port. */
async function serveGit(root: string): Promise<string> {
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
    const backend = spawn('git', ['http-backend'], {
      env: {
        PATH: process.env.PATH,
        GIT_PROJECT_ROOT: root,
        GIT_HTTP_EXPORT_ALL: '1',
        REQUEST_METHOD: request.method,
        PATH_INFO: pathname,
        QUERY_STRING: searchParams.toString(),
        CONTENT_TYPE: request.headers['content-type'] ?? '',
        GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      },
    });
    request.pipe(backend.stdin);
    const answer = Buffer.concat(await backend.stdout.toArray());
    const end = answer.indexOf('\r\n\r\n');
    const headers = answer
      .subarray(0, end)
      .toString('latin1')
      .split('\r\n')
      .map((line) => line.split(': '));
    for (const [name = '', value = ''] of headers) {
      if (name === 'Status') response.statusCode = Number.parseInt(value, 10);
      else response.setHeader(name, value);
    }
    response.end(answer.subarray(end + 4));
  });
  await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function serve(answer: (url: string, method: string, body: string) => { status?: number; body: unknown }) {
  const asked: { url: string; method: string; body: string; authorization: string | undefined }[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { url = '', method = '', headers } = request;
    asked.push({ url, method, body, authorization: headers.authorization });
    const { status = 200, body: given } = answer(url, method, body);
    response
      .writeHead(status, { 'content-type': 'application/json' })
      .end(given === undefined ? '' : JSON.stringify(given));
  });
  await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

describe('git', () => {
  const make = async (name = 'repo') => {
    const folder = join(workspace, name);
    await mkdir(folder);
    execFileSync('git', ['init', '--quiet', '--initial-branch=main'], { cwd: folder });
    await writeFile(join(folder, 'a.txt'), 'one\n');
    return folder;
  };

  test('commits, status, differences, branches and the log of a real repository', async () => {
    const folder = await make();
    expect(await call('git_status', { repository: 'repo' })).toMatchObject({ files: [{ state: '??', path: 'a.txt' }] });
    const first = await call('git_commit', {
      repository: 'repo',
      message: 'First; $(touch x)',
      author: 'Ada <ada@example.org>',
    });
    await writeFile(join(folder, 'a.txt'), 'two\n');
    expect(await call('git_diff', { repository: 'repo' })).toMatchObject({
      text: expect.stringContaining('-one\n+two'),
    });
    expect(await call('git_branch', { repository: 'repo', create: 'topic' })).toMatchObject({ current: 'topic' });
    await call('git_commit', { repository: 'repo', message: 'Second', files: ['a.txt'] });
    const { commits } = await call('git_log', { repository: 'repo' });
    expect(commits).toMatchObject([
      { subject: 'Second' },
      { subject: 'First; $(touch x)', author: 'Ada', hash: first.commit },
    ]);
    expect(await call('git_diff', { repository: 'repo', from: 'main', to: 'topic' })).toMatchObject({
      text: expect.stringContaining('+two'),
    });
  });

  test('a repository that is not there is told as such', async () => {
    await expect(call('git_status', { repository: 'nowhere' })).rejects.toThrow('There is no folder nowhere.');
  });

  test('hooks and programs of a repository do not run', async () => {
    const folder = await make();
    const mark = join(dataDir, 'ran');
    await writeFile(join(folder, '.git', 'hooks', 'pre-commit'), `#!/bin/sh\ntouch ${mark}\n`, { mode: 0o755 });
    for (const [key, value] of [
      ['core.fsmonitor', `touch ${mark}`],
      ['diff.external', `touch ${mark}`],
      ['core.pager', `touch ${mark}`],
    ])
      execFileSync('git', ['config', key ?? '', value ?? ''], { cwd: folder });
    await call('git_status', { repository: 'repo' });
    await call('git_commit', { repository: 'repo', message: 'x' });
    await writeFile(join(folder, 'a.txt'), 'two\n');
    await call('git_diff', { repository: 'repo' });
    await expect(readFile(mark)).rejects.toThrow();
  });

  test.each([
    ['git_status', { repository: '../..' }],
    ['git_status', { repository: '/etc' }],
    ['git_status', { repository: 'link' }],
    ['git_log', { repository: 'repo', from: '--output=x' }],
    ['git_diff', { repository: 'repo', from: 'a..b' }],
    ['git_branch', { repository: 'repo', create: '-D' }],
    ['git_commit', { repository: 'repo', message: 'x', files: ['../../x'] }],
    ['git_clone', { url: 'file:///etc' }],
    ['git_clone', { url: 'ext::sh -c touch% x' }],
    ['git_clone', { url: 'git@github.com:a/b.git' }],
    ['git_clone', { url: 'https://evil.example/a' }],
    ['git_clone', { url: 'https://user:pass@github.com/a/b' }],
    ['git_clone', { url: 'http://github.com/a/b' }],
    ['git_clone', { url: 'https://github.com/a/b', folder: '..' }],
  ])('%s with %j is refused', async (name, args) => {
    await make();
    await symlink('/etc', join(workspace, 'link'));
    await expect(call(name, args)).rejects.toThrow(/outside|no name of|allowed|Only https|no address|folder/i);
  });

  test('clones the latest state from a host that is allowed', async () => {
    const folder = await make('origin');
    await call('git_commit', { repository: 'origin', message: 'First' });
    await writeFile(join(folder, 'a.txt'), 'two\n');
    await call('git_commit', { repository: 'origin', message: 'Second' });
    const host = await serveGit(workspace);
    await expect(call('git_clone', { url: `http://${host}/origin/.git` })).rejects.toThrow(/Only https/);
    process.env.DEV_TOOLS_GIT_HOSTS = host;
    const cloned = await call('git_clone', { url: `http://${host}/origin/.git`, folder: 'copy', branch: 'main' });
    expect(cloned).toMatchObject({ folder: 'copy' });
    expect(await readFile(join(workspace, 'copy', 'a.txt'), 'utf8')).toBe('two\n');
    expect((await call('git_log', { repository: 'copy' })).commits).toMatchObject([{ subject: 'Second' }]);
    expect(await call('git_branch', { repository: 'copy' })).toMatchObject({ current: 'main' });
    await expect(call('git_clone', { url: `http://${host}/origin/.git`, folder: 'copy' })).rejects.toThrow(
      /already exists/,
    );
    await expect(call('git_clone', { url: `http://${host}/nothing/.git`, folder: 'new' })).rejects.toThrow(/not found/);
  });
});

describe('projects', () => {
  test.each<[template: string, command: string, said: RegExp]>([
    ['node', 'node --test', /pass 1/],
    ...(hasPython ? ([['python', 'python3 -m unittest', /OK/]] as [string, string, RegExp][]) : []),
  ])('%s: made, and its tests run', async (template, command, said) => {
    expect(await call('scaffold_project', { name: 'my-thing', template })).toMatchObject({ folder: 'my-thing' });
    process.env.DEV_TOOLS_TEST_COMMANDS = `${command}, python3 -m unittest discover tests`;
    const run = template === 'python' ? 'python3 -m unittest discover tests' : command;
    const outcome = await call('run_tests', { folder: 'my-thing', command: run });
    expect([outcome.passed, `${outcome.output}${outcome.errors}`]).toEqual([true, expect.stringMatching(said)]);
    expect(await call('scaffold_project', { name: 'my-thing', template })).toMatchObject({ isError: true });
  });

  test('a failing test, a command that is not allowed, and one that never ends', async () => {
    await call('scaffold_project', { name: 'bad', template: 'node' });
    await writeFile(join(workspace, 'bad', 'src', 'index.js'), 'export const greet = () => "no";\n');
    expect(await call('run_tests', { folder: 'bad' })).toMatchObject({ passed: false, exit_code: 1 });
    expect(await call('run_tests', { folder: 'bad', command: 'rm -rf .' })).toMatchObject({ isError: true });
    process.env.DEV_TOOLS_TEST_COMMANDS = 'sleep 60';
    expect(await call('run_tests', { folder: 'bad', command: 'sleep 60', timeout_seconds: 0.2 })).toMatchObject({
      passed: false,
      ended_by: expect.stringContaining('0.2 seconds'),
    });
  });

  test('one that writes without end, and one that leaves something running', async () => {
    await call('scaffold_project', { name: 'loud', template: 'node' });
    process.env.DEV_TOOLS_TEST_COMMANDS = 'yes, node leave.js';
    const loud = await call('run_tests', { folder: 'loud', command: 'yes' });
    expect(loud).toMatchObject({ passed: false, ended_by: 'it wrote more than 500000 bytes' });
    expect(loud.output?.length).toBe(20_000);

    // It is in a session of its own, out of reach, and holds the output open.
    await writeFile(
      join(workspace, 'loud', 'leave.js'),
      `import { spawn } from 'node:child_process';
       spawn('sleep', ['20'], { detached: true, stdio: 'inherit' }).unref();`,
    );
    const left = await call('run_tests', { folder: 'loud', command: 'node leave.js', timeout_seconds: 1 });
    expect(left).toMatchObject({ exit_code: 0, ended_by: expect.stringContaining('1 seconds') });
  });
});

describe('pictures', () => {
  test('are told of, made smaller and written in another format', async () => {
    await sharp({ create: { width: 64, height: 32, channels: 3, background: 'red' } })
      .png()
      .toFile(join(workspace, 'a.png'));
    expect(await call('image_info', { path: 'a.png' })).toMatchObject({ format: 'png', width: 64, height: 32 });
    expect(await call('image_resize', { path: 'a.png', to: 'b.png', width: 16 })).toMatchObject({
      width: 16,
      height: 8,
    });
    expect(await call('image_convert', { path: 'b.png', to: 'c.webp', format: 'webp' })).toMatchObject({
      format: 'webp',
    });
    expect((await sharp(join(workspace, 'c.webp')).metadata()).width).toBe(16);
  });

  test('become what the ending of the new file says, upright as they are to be seen', async () => {
    await sharp({ create: { width: 40, height: 20, channels: 3, background: 'red' } })
      .jpeg()
      .withMetadata({ orientation: 6 })
      .toFile(join(workspace, 'phone.jpg'));
    expect(await call('image_resize', { path: 'phone.jpg', to: 'small.webp', width: 10 })).toMatchObject({
      format: 'webp',
      width: 10,
      height: 20,
    });
    const converted = await call('image_convert', { path: 'phone.jpg', to: 'phone.png', format: 'png' });
    expect(converted).toMatchObject({ width: 20, height: 40 });
    expect(await call('image_resize', { path: 'phone.jpg', to: 'other.xyz', width: 10 })).toMatchObject({
      format: 'jpeg',
    });
  });

  test('that are none, are too large or lie elsewhere are refused', async () => {
    await writeFile(join(workspace, 'text.png'), 'no picture');
    await expect(call('image_info', { path: 'text.png' })).rejects.toThrow(/unsupported image format/);
    await sharp({ create: { width: 9_000, height: 9_000, channels: 3, background: 'red' }, limitInputPixels: false })
      .png()
      .toFile(join(workspace, 'bomb.png'));
    await expect(call('image_resize', { path: 'bomb.png', to: 'x.png', width: 1 })).rejects.toThrow(/pixel limit/);
    await writeFile(join(workspace, 'long.png'), '');
    await truncate(join(workspace, 'long.png'), 50_000_001);
    await expect(call('image_info', { path: 'long.png' })).rejects.toThrow(/longer than 50000000 bytes/);
    await expect(call('image_info', { path: '/etc/hostname' })).rejects.toThrow(/outside/);
    expect(await call('image_resize', { path: 'text.png', to: 'x.png' })).toMatchObject({ isError: true });
  });
});

describe('GitHub', () => {
  test('branches, commits, pull requests, issues and workflows, at the address that is configured', async () => {
    const { url, asked } = await serve((path, method) => {
      if (path === '/repos/o/r') return { body: { default_branch: 'main' } };
      if (path.includes('/git/ref/')) return { body: { object: { sha: 'abc' } } };
      if (path.endsWith('/git/refs')) return { status: 201, body: { object: { sha: 'abc' } } };
      if (path.includes('/contents/') && method === 'GET') return { status: 404, body: { message: 'Not Found' } };
      if (path.includes('/contents/')) return { status: 201, body: { commit: { sha: 'def', html_url: 'https://x' } } };
      if (path.endsWith('/dispatches')) return { status: 204, body: undefined };
      return { status: 201, body: { number: 7, html_url: 'https://x/7' } };
    });
    await expect(call('github_issue', { owner: 'o', repo: 'r', title: 't' })).rejects.toThrow(/GITHUB_TOKEN/);
    process.env.GITHUB_TOKEN = 'a-token';
    process.env.GITHUB_API_URL = url;
    const at = { owner: 'o', repo: 'r' };
    expect(await call('github_branch', { ...at, name: 'topic' })).toMatchObject({
      branch: 'topic',
      from: 'main',
      commit: 'abc',
    });
    expect(
      await call('github_commit', { ...at, branch: 'topic', path: 'a.txt', content: 'hi', message: 'm' }),
    ).toMatchObject({ commit: 'def' });
    expect(await call('github_pull_request', { ...at, title: 't', head: 'topic', base: 'main' })).toMatchObject({
      number: 7,
    });
    expect(await call('github_issue', { ...at, title: 't', labels: ['bug'] })).toMatchObject({ number: 7 });
    expect(await call('github_workflow_dispatch', { ...at, workflow: 'ci.yml', ref: 'main' })).toMatchObject({
      started: 'ci.yml',
    });
    expect(new Set(asked.map(({ authorization }) => authorization))).toEqual(new Set(['token a-token']));
    expect(asked.find(({ method }) => method === 'PUT')?.body).toContain(Buffer.from('hi').toString('base64'));
  });
});

describe('text from a model', () => {
  test('comes from the service that is configured', async () => {
    const { url, asked } = await serve(() => ({ body: { choices: [{ message: { content: 'made by the model' } }] } }));
    process.env.AI_BASE_URL = `${url}/v1`;
    process.env.AI_API_KEY = 'key';
    expect(await call('code_gen', { task: 'a loop' })).toMatchObject({ code: 'made by the model', by: 'model' });
    expect(asked[0]).toMatchObject({ url: '/v1/chat/completions', authorization: 'Bearer key' });
  });

  test('without one is made by a rule, always the same, and says so', async () => {
    const one = await call('code_gen', { task: 'a loop' });
    expect(one).toMatchObject({
      by: 'fallback',
      note: expect.stringContaining('AI_BASE_URL'),
      code: expect.stringContaining('// a loop'),
    });
    expect(await call('code_gen', { task: 'a loop' })).toEqual(one);
    expect(await call('text_summarize', { text: 'One. Two. Three. Four.', sentences: 2 })).toMatchObject({
      by: 'fallback',
      summary: 'One. Two.',
    });
  });
});
