import { defineTool } from '@luna/core/tools';
import { z } from 'zod';

const owner = z.string().min(1).describe('The user or the organization.');
const repo = z.string().min(1).describe('The repository.');

async function octokit() {
  const token = process.env.GITHUB_TOKEN;
  if (!token) throw new Error('Set GITHUB_TOKEN in .env of the home: a token that may write to the repository.');
  const { Octokit } = await import('octokit').catch(() => {
    throw new Error('The package octokit is missing. Run: luna ext install dev-tools');
  });
  const baseUrl = process.env.GITHUB_API_URL;
  return new Octokit({
    auth: token,
    ...(baseUrl && { baseUrl }),
    retry: { enabled: false },
    throttle: { enabled: false },
  });
}

export const TOOLS = [
  defineTool({
    name: 'github_branch',
    description: 'Makes a branch at GitHub, from the default branch or another one.',
    input: z.object({
      owner,
      repo,
      name: z.string().min(1),
      from: z.string().optional().describe('Default: the default branch.'),
    }),
    handler: async ({ owner: who, repo: what, name, from }) => {
      const { rest } = await octokit();
      const base = from ?? (await rest.repos.get({ owner: who, repo: what })).data.default_branch;
      const { data } = await rest.git.getRef({ owner: who, repo: what, ref: `heads/${base}` });
      const made = await rest.git.createRef({
        owner: who,
        repo: what,
        ref: `refs/heads/${name}`,
        sha: data.object.sha,
      });
      return { branch: name, from: base, commit: made.data.object.sha };
    },
  }),
  defineTool({
    name: 'github_commit',
    description: 'Writes one file of a repository at GitHub with a commit.',
    input: z.object({ owner, repo, branch: z.string(), path: z.string(), content: z.string(), message: z.string() }),
    handler: async ({ owner: who, repo: what, branch, path, content, message }) => {
      const { rest } = await octokit();
      const at = { owner: who, repo: what, path };
      const known = await rest.repos.getContent({ ...at, ref: branch }).catch((error: { status?: number }) => {
        if (error.status === 404) return undefined;
        throw error;
      });
      const sha = known && !Array.isArray(known.data) ? known.data.sha : undefined;
      const { data } = await rest.repos.createOrUpdateFileContents({
        ...at,
        branch,
        message,
        content: Buffer.from(content).toString('base64'),
        ...(sha && { sha }),
      });
      return { commit: data.commit.sha, url: data.commit.html_url };
    },
  }),
  defineTool({
    name: 'github_pull_request',
    description: 'Opens a pull request at GitHub.',
    input: z.object({
      owner,
      repo,
      title: z.string(),
      head: z.string(),
      base: z.string(),
      body: z.string().default(''),
      draft: z.boolean().default(false),
    }),
    handler: async ({ owner: who, repo: what, ...rest }) => {
      const { data } = await (await octokit()).rest.pulls.create({ owner: who, repo: what, ...rest });
      return { number: data.number, url: data.html_url };
    },
  }),
  defineTool({
    name: 'github_issue',
    description: 'Opens an issue at GitHub.',
    input: z.object({
      owner,
      repo,
      title: z.string(),
      body: z.string().default(''),
      labels: z.array(z.string()).default([]),
    }),
    handler: async ({ owner: who, repo: what, ...rest }) => {
      const { data } = await (await octokit()).rest.issues.create({ owner: who, repo: what, ...rest });
      return { number: data.number, url: data.html_url };
    },
  }),
  defineTool({
    name: 'github_workflow_dispatch',
    description: 'Starts a workflow of GitHub Actions.',
    input: z.object({
      owner,
      repo,
      workflow: z.string().describe('The name of its file, or its id.'),
      ref: z.string(),
      inputs: z.record(z.string(), z.string()).default({}),
    }),
    handler: async ({ owner: who, repo: what, workflow, ref, inputs }) => {
      await (await octokit()).rest.actions.createWorkflowDispatch({
        owner: who,
        repo: what,
        workflow_id: workflow,
        ref,
        inputs,
      });
      return { started: workflow, ref };
    },
  }),
];
