import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { EnvFile, homePaths, supervisorTokenName } from '@luna/core/config';
import type { Luna } from '@luna/core/control';
import { LunaError, type LunaErrorCode, lunaErrorCodes, messageOf, toLunaError } from '@luna/core/errors';
import { lockHolder } from '@luna/core/supervisor';
import { z } from 'zod';
import { findHome } from '../settings.ts';
import { version } from '../version.ts';

const stateSchema = z.object({ pid: z.number(), url: z.string(), version: z.string() });
const lunaErrorCode = z
  .string()
  .pipe(z.custom<LunaErrorCode>((code) => typeof code === 'string' && code in lunaErrorCodes));
const errorSchema = z.object({ error: z.object({ code: lunaErrorCode, message: z.string() }) });

/** Where the Luna of a home answers, and the token that opens its control routes. */
export interface RunningLuna {
  readonly home: string;
  readonly url: string;
  readonly token: string;
}

/** Finds the Luna that runs on a home. Throws `not_running`. */
export async function findRunning(homeFlag: string | undefined): Promise<RunningLuna> {
  const home = findHome(homeFlag, process.env);
  const paths = homePaths(home);
  const notRunning = new LunaError('not_running', `Luna does not run on ${home}. Start it with "npx luna start".`);
  if (!(await lockHolder(paths.lock))) throw notRunning;
  const text = await readFile(paths.state, 'utf8').catch(() => undefined);
  if (text === undefined) throw notRunning;
  const token = (await new EnvFile(paths.env).read())[supervisorTokenName];
  if (!token)
    throw new LunaError('unauthorized', `${paths.env} has no ${supervisorTokenName}. Start Luna anew; it makes one.`);
  return { home, url: stateSchema.parse(JSON.parse(text)).url, token };
}

/**
 * Asks the control routes of a running Luna; `path` is below /api/supervisor, or a whole one below /api. Throws what it
 * answered as a LunaError.
 */
export async function ask<Schema extends z.ZodType>(
  luna: RunningLuna,
  method: string,
  path: string,
  schema: Schema,
  body?: unknown,
): Promise<z.infer<Schema>> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  return answerOf(luna, path, schema, { method, body: text, headers: { 'content-type': 'application/json' } });
}

/** Sends the bytes of a zip file to a control route. */
export async function upload<Schema extends z.ZodType>(
  luna: RunningLuna,
  path: string,
  content: Buffer,
  schema: Schema,
): Promise<z.infer<Schema>> {
  const body = new Uint8Array(content);
  return answerOf(luna, path, schema, { method: 'POST', body, headers: { 'content-type': 'application/zip' } });
}

async function answerOf<Schema extends z.ZodType>(
  luna: RunningLuna,
  path: string,
  schema: Schema,
  request: { method: string; headers: Record<string, string>; body?: string | Uint8Array<ArrayBuffer> | undefined },
): Promise<z.infer<Schema>> {
  let response: Response;
  try {
    response = await fetch(`${luna.url}${path.startsWith('/api/') ? '' : '/api/supervisor'}${path}`, {
      method: request.method,
      headers: { ...request.headers, authorization: `Bearer ${luna.token}` },
      ...(request.body !== undefined && { body: request.body }),
    });
  } catch (thrown) {
    throw new LunaError('not_running', `Luna does not answer at ${luna.url}: ${messageOf(thrown)}`, { cause: thrown });
  }
  const answer: unknown = response.status === 204 ? undefined : await response.json();
  if (response.ok) return schema.parse(answer);
  const refused = errorSchema.safeParse(answer);
  if (refused.success) throw new LunaError(refused.data.error.code, refused.data.error.message);
  throw new LunaError('upstream_error', `Luna answered with HTTP ${response.status}.`);
}

/** One request to a control route. With a body it is a POST. */
export interface Request<Schema extends z.ZodType> {
  readonly path: string;
  readonly schema: Schema;
  readonly body?: unknown;
}

/** Asks the Luna that runs on a home, or opens one there that starts nothing, where none runs. */
export async function askOrOpen<Schema extends z.ZodType>(
  home: string | undefined,
  { path, schema, body }: Request<Schema>,
  otherwise: (luna: Luna) => Promise<z.infer<Schema>>,
): Promise<z.infer<Schema>> {
  try {
    return await ask(await findRunning(home), body === undefined ? 'GET' : 'POST', path, schema, body);
  } catch (thrown) {
    if (toLunaError(thrown).code !== 'not_running') throw thrown;
  }
  const folder = findHome(home, process.env);
  // Whoever only asks means a home that is there.
  if (body === undefined && !existsSync(folder)) throw new LunaError('not_found', `There is no home at ${folder}.`);
  const { createLuna } = await import('@luna/core/control');
  const luna = await createLuna({ home: folder, version });
  try {
    return await otherwise(luna);
  } finally {
    await luna.close();
  }
}
