import { readFile } from 'node:fs/promises';
import { homePaths } from '@luna/core/config';
import { messageOf } from '@luna/core/errors';
import { lockHolder } from '@luna/core/supervisor';
import { type RequiredKeyView, requiredKeyView, statusView } from '@luna/core/views';
import { z } from 'zod';
import { ask, findRunning } from '../cli/running-luna.ts';
import { readSettings } from '../settings.ts';
import { type Finding, problem } from './finding.ts';
import { checkAnswer, checkConfig, checkDatabase, checkHome, notRunning } from './home.ts';
import { checkDisk, checkNode, checkPort, checkPrograms } from './machine.ts';
import { checkKeys, checkSources, checkUpstreams } from './sources.ts';

/** Looks a home over, be there a Luna that runs on it or not. Changes nothing. */
export async function examine(home: string): Promise<Finding[]> {
  const paths = homePaths(home);
  const findings = [checkNode(), ...(await checkHome(paths))];
  if (findings.some(({ message }) => message.endsWith('is no folder.'))) return findings;
  const { finding, config } = await checkConfig(paths);
  findings.push(finding, await checkDatabase(paths), await checkDisk(home), ...(await checkPrograms()));
  const holder = await lockHolder(paths.lock);
  if (holder) {
    const url = await urlOf(paths.state);
    const answer = await checkAnswer(url, holder.pid);
    return [...findings, answer, ...(answer.status === 'ok' ? await askRunning(home) : [])];
  }
  findings.push(notRunning(), await portOf(home));
  if (!config) return findings;
  const { keysOfHome } = await import('@luna/core/control');
  return [...findings, ...checkKeys(await keysOfHome(home, config).required()), ...(await checkUpstreams(config))];
}

async function askRunning(home: string): Promise<Finding[]> {
  try {
    const running = await findRunning(home);
    const { sources } = await ask(running, 'GET', '/status', statusView);
    const required = z.object({ keys: z.array(requiredKeyView) });
    const { keys }: { keys: RequiredKeyView[] } = await ask(running, 'GET', '/keys/required', required);
    return [...checkKeys(keys), ...checkSources(sources)];
  } catch (thrown) {
    return [problem('Luna', messageOf(thrown), 'See logs/luna.log.')];
  }
}

async function portOf(home: string): Promise<Finding> {
  try {
    return await checkPort(await readSettings({ home }, process.env));
  } catch (thrown) {
    return problem('settings', messageOf(thrown), 'Correct it in .env or in the environment.');
  }
}

async function urlOf(stateFile: string): Promise<string> {
  const text = await readFile(stateFile, 'utf8').catch(() => '');
  return /"url":\s*"([^"]+)"/.exec(text)?.[1] ?? 'an address that it has not told yet';
}
