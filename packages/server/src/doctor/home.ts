import { constants, type Stats } from 'node:fs';
import { access, readFile, stat } from 'node:fs/promises';
import type { HomePaths } from '@luna/core/config';
import { type MasterConfig, masterConfigSchema, parseJsonText } from '@luna/core/config';
import { messageOf } from '@luna/core/errors';
import { checkDatabase as faultOf } from '@luna/core/store';
import { type Finding, ok, problem, warning } from './finding.ts';

/** Whether the folder can be used, and nobody else reads what is secret in it. */
export async function checkHome(paths: HomePaths): Promise<Finding[]> {
  const folder = await statOf(paths.root);
  if (!folder?.isDirectory()) {
    return [problem('home', `${paths.root} is no folder.`, 'Make a home with "npx create-luna DIR".')];
  }
  const canWrite = await access(paths.root, constants.R_OK | constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
  const findings = [
    canWrite
      ? ok('home', paths.root)
      : problem(
          'home',
          `${paths.root} cannot be written to.`,
          'Give it to the user that runs Luna: chown, chmod u+rwx.',
        ),
  ];
  if ((folder.mode & 0o002) !== 0)
    findings.push(
      problem('home', 'Every user of this machine may write to the home.', `Run: chmod o-w "${paths.root}"`),
    );
  for (const file of [paths.env, paths.config, paths.database, paths.upstreamTokens]) {
    const { mode } = (await statOf(file)) ?? { mode: 0 };
    if ((mode & 0o077) !== 0)
      findings.push(problem('home', `Other users may read ${file}, which holds secrets.`, `Run: chmod 600 "${file}"`));
  }
  return findings;
}

/** The configuration where it can be read, and what is wrong with it otherwise. */
export async function checkConfig(paths: HomePaths): Promise<{ finding: Finding; config?: MasterConfig }> {
  const check = 'configuration';
  const text = await readFile(paths.config, 'utf8').catch(() => undefined);
  if (text === undefined) {
    const finding = (await statOf(paths.config))
      ? problem(check, `${paths.config} cannot be read.`, `Run: chmod u+rw "${paths.config}"`)
      : ok(check, 'There is none yet; the first start makes it.');
    return { finding, config: masterConfigSchema.parse({}) };
  }
  try {
    return { finding: ok(check, paths.config), config: parseJsonText(text, masterConfigSchema, paths.config) };
  } catch (thrown) {
    const advice = 'Correct that place. A Luna that runs goes on with the last good content; one that starts ends.';
    return { finding: problem(check, messageOf(thrown), advice) };
  }
}

export async function checkDatabase({ database }: HomePaths): Promise<Finding> {
  if (!(await statOf(database))) return ok('database', 'There is none yet; the first start makes it.');
  const fault = await faultOf(database);
  if (fault === undefined) return ok('database', database);
  return problem('database', `${database}: ${fault}`, 'Stop Luna and restore a backup with "luna restore FILE".');
}

/** A lock without its process is cleared by the next start; a Luna that does not answer is not. */
export async function checkAnswer(url: string, pid: number): Promise<Finding> {
  try {
    const response = await fetch(`${url}/health`, { signal: AbortSignal.timeout(5_000) });
    if (response.ok) return ok('Luna', `runs as process ${pid} at ${url}.`);
    return problem(
      'Luna',
      `Process ${pid} answers with HTTP ${response.status} at ${url}/health.`,
      'See logs/luna.log.',
    );
  } catch (thrown) {
    const text = `Process ${pid} holds the home but does not answer at ${url}: ${messageOf(thrown)}.`;
    return problem('Luna', text, `See logs/luna.log, and start it anew: kill ${pid}, then "npx luna start".`);
  }
}

export function notRunning(): Finding {
  return warning('Luna', 'does not run on this home.', 'Start it with "npx luna start".');
}

async function statOf(file: string): Promise<Stats | undefined> {
  return stat(file).catch(() => undefined);
}
