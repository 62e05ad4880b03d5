import { join } from 'node:path';
import { defineTool } from '@luna/core/tools';
import { z } from 'zod';
import { git, revision } from '../lib/git.ts';
import { inWorkspace, workspaceOf } from '../lib/workspace.ts';

const repository = z.string().min(1).describe('The folder of the repository, within the workspace.');
const reads = { readOnlyHint: true, openWorldHint: false };

export const TOOLS = [
  defineTool({
    name: 'git_clone',
    description: 'Clones the latest state of a repository (depth 1) from a host that is allowed, into the workspace.',
    input: z.object({
      url: z.string().describe('An https address.'),
      folder: z
        .string()
        .regex(/^[\w.-]+$/)
        .optional()
        .describe('The name of the new folder. Default: that of the repository.'),
      branch: z.string().optional(),
    }),
    annotations: { openWorldHint: true },
    handler: async ({ url, folder, branch }, { dataDir, signal }) => {
      const address = assertAllowed(url);
      const name = folder ?? (address.pathname.split('/').at(-1) ?? '').replace(/\.git$/, '');
      const target = await inWorkspace(dataDir, name);
      const root = await workspaceOf(dataDir);
      if (target === root) throw new Error('The repository needs a folder of its own.');
      const options = [
        '--depth',
        '1',
        '--no-tags',
        '--no-recurse-submodules',
        ...(branch ? ['--branch', revision(branch)] : []),
      ];
      // Hosts on this machine, for whoever allows them by name.
      const extra = address.protocol === 'http:' ? ['-c', 'protocol.http.allow=always'] : [];
      await git(root, ['clone', ...options, '--', address.href, target], signal, extra);
      return { folder: name };
    },
  }),
  defineTool({
    name: 'git_status',
    description: 'Tells the branch of a repository and which files have changed.',
    input: z.object({ repository }),
    annotations: reads,
    handler: async ({ repository: path }, { dataDir, signal }) => {
      const cwd = await inWorkspace(dataDir, path);
      const lines = (await git(cwd, ['status', '--porcelain=v1', '--branch', '-z'], signal))
        .split('\0')
        .filter(Boolean);
      const [head = '', ...files] = lines;
      return {
        branch: head.replace(/^## /, ''),
        files: files.map((line) => ({ state: line.slice(0, 2).trim(), path: line.slice(3) })),
      };
    },
  }),
  defineTool({
    name: 'git_diff',
    description: 'Shows what has changed in a repository since the last commit, or between two commits.',
    input: z.object({
      repository,
      from: z.string().optional(),
      to: z.string().optional(),
      staged: z.boolean().default(false),
    }),
    annotations: reads,
    handler: async ({ repository: path, from, to, staged }, { dataDir, signal }) => {
      const revisions = [from, to].filter((one) => one !== undefined).map(revision);
      const cwd = await inWorkspace(dataDir, path);
      return git(
        cwd,
        ['diff', '--no-ext-diff', '--no-textconv', ...(staged ? ['--staged'] : []), ...revisions, '--'],
        signal,
      );
    },
  }),
  defineTool({
    name: 'git_log',
    description: 'Lists the latest commits of a repository.',
    input: z.object({ repository, limit: z.int().min(1).max(200).default(20), from: z.string().default('HEAD') }),
    annotations: reads,
    handler: async ({ repository: path, limit, from }, { dataDir, signal }) => {
      const format = '--format=%H%x1f%an%x1f%aI%x1f%s';
      const text = await git(
        await inWorkspace(dataDir, path),
        ['log', `-${limit}`, format, revision(from), '--'],
        signal,
      );
      const commits = text
        .split('\n')
        .filter(Boolean)
        .map((line) => line.split('\x1f'));
      return { commits: commits.map(([hash, author, date, subject]) => ({ hash, author, date, subject })) };
    },
  }),
  defineTool({
    name: 'git_branch',
    description: 'Lists the branches of a repository, or makes one and changes to it.',
    input: z.object({ repository, create: z.string().optional().describe('The name of a new branch.') }),
    handler: async ({ repository: path, create }, { dataDir, signal }) => {
      const cwd = await inWorkspace(dataDir, path);
      if (create !== undefined) await git(cwd, ['switch', '--create', revision(create)], signal);
      const text = await git(cwd, ['branch', '--format=%(HEAD)%(refname:short)'], signal);
      const names = text.split('\n').filter(Boolean);
      return {
        current: names.find((name) => name.startsWith('*'))?.slice(1),
        branches: names.map((name) => name.slice(1)),
      };
    },
  }),
  defineTool({
    name: 'git_commit',
    description: 'Commits changes of a repository: the files that are named, or all.',
    input: z.object({
      repository,
      message: z.string().min(1),
      files: z.array(z.string()).optional().describe('Paths within the repository. Default: all that changed.'),
      author: z.string().default('Luna <luna@localhost>').describe('Name <address>.'),
    }),
    handler: async ({ repository: path, message, files, author }, { dataDir, signal }) => {
      const cwd = await inWorkspace(dataDir, path);
      for (const file of files ?? []) await inWorkspace(dataDir, join(path, file));
      await git(cwd, ['add', '--all', '--', ...(files ?? ['.'])], signal);
      const [, name = 'Luna', address = 'luna@localhost'] = /^(.*?)\s*<(.*)>$/.exec(author) ?? [];
      const who = ['-c', `user.name=${name}`, '-c', `user.email=${address}`, '-c', 'commit.gpgSign=false'];
      await git(cwd, ['commit', '--no-verify', '--message', message], signal, who);
      return { commit: (await git(cwd, ['rev-parse', 'HEAD'], signal)).trim() };
    },
  }),
];

/** Only https, and only hosts that DEV_TOOLS_GIT_HOSTS names; others would be asked in the name of this machine. */
function assertAllowed(url: string): URL {
  const hosts = (process.env.DEV_TOOLS_GIT_HOSTS ?? 'github.com,gitlab.com,codeberg.org')
    .split(',')
    .map((host) => host.trim());
  if (!URL.canParse(url)) throw new Error(`"${url}" is no address. Use https://…`);
  const address = new URL(url);
  const isNamedPort = address.port !== '' && hosts.includes(address.host);
  if (!(address.protocol === 'https:' || (address.protocol === 'http:' && isNamedPort)) || address.username !== '') {
    throw new Error('Only https addresses without a name and a password can be cloned.');
  }
  if (!isNamedPort && !hosts.includes(address.hostname)) {
    throw new Error(`${address.host} is not allowed. Add it to DEV_TOOLS_GIT_HOSTS in .env.`);
  }
  return address;
}
