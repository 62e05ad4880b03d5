import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { delimiter } from 'node:path';
import { performance } from 'node:perf_hooks';
import { binFolder, Interrupted, root, SetupError } from './root.mjs';

/** One key press can arrive twice: from the terminal, and passed on by npm. Within this time it counts once. */
const sameSignalMs = 500;

/** @type {NodeJS.Signals[]} */
const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];

/**
 * The environment for children: commands of the dependencies come first, so `node` is Node 24 for them and their
 * children.
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {NodeJS.ProcessEnv}
 */
export function withOurNode(env = process.env) {
  return { ...env, PATH: [binFolder, env.PATH].filter(Boolean).join(delimiter) };
}

/**
 * The environment for npm when it replaces node_modules: the Node that runs it must not lie in there.
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {NodeJS.ProcessEnv}
 */
export function withoutOurNode(env = process.env) {
  const path = (env.PATH ?? '').split(delimiter).filter((folder) => !folder.startsWith(`${root}/`));
  return { ...env, PATH: path.join(delimiter) };
}

/**
 * Waits for the end of a child and passes the signals that this process gets meanwhile on to it, each key press once.
 * Throws a {@link SetupError} when the child could not be started.
 * @param {import('node:child_process').ChildProcess} child
 * @returns {Promise<{ code: number | null, signal: NodeJS.Signals | null, passed: NodeJS.Signals | undefined }>} How the
 *   child ended, and the last signal that was passed on.
 */
export async function ended(child) {
  /** @type {NodeJS.Signals | undefined} */
  let passed;
  let passedAt = Number.NEGATIVE_INFINITY;
  /** @param {NodeJS.Signals} signal */
  const pass = (signal) => {
    const now = performance.now();
    if (signal === passed && now - passedAt < sameSignalMs) return;
    passed = signal;
    passedAt = now;
    child.kill(signal);
  };
  for (const signal of forwarded) process.on(signal, pass);
  try {
    return await new Promise((resolve, reject) => {
      child.on('error', (error) => {
        if (child.pid === undefined) reject(new SetupError(`${child.spawnfile} cannot be started: ${error.message}`));
      });
      child.on('close', (code, signal) => resolve({ code, signal, passed }));
    });
  } finally {
    for (const signal of forwarded) process.off(signal, pass);
  }
}

/**
 * Ends this process the way that a child ended, so that whoever started this one sees the same.
 * @param {{ code: number | null, signal: NodeJS.Signals | null }} end
 */
export function endLike({ code, signal }) {
  if (signal) process.kill(process.pid, signal);
  process.exit(code ?? 128 + (signal ? constants.signals[signal] : 0));
}

/**
 * Runs a command to its end under Node 24. Throws {@link Interrupted} when a signal to this process ended it.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, capture?: boolean }} [options] `capture`: collect the output instead
 *   of showing it.
 * @returns {Promise<{ ok: boolean, output: string }>} Whether the exit code was 0, and what `capture` collected.
 */
export async function run(command, args, { cwd = root, env = withOurNode(), capture = false } = {}) {
  const stream = capture ? 'pipe' : 'inherit';
  const child = spawn(command, args, { cwd, env, stdio: ['inherit', stream, stream] });
  /** @type {Buffer[]} */
  const chunks = [];
  child.stdout?.on('data', (chunk) => chunks.push(chunk));
  child.stderr?.on('data', (chunk) => chunks.push(chunk));
  const end = await ended(child);
  if (end.passed) throw new Interrupted(end.passed);
  return { ok: end.code === 0, output: Buffer.concat(chunks).toString('utf8') };
}
