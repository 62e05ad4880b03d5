import { setTimeout as sleep } from 'node:timers/promises';
import { LunaError } from '@luna/core/errors';
import { type ExternalServiceDetailView, externalServiceDetailView } from '@luna/core/views';
import { z } from 'zod';
import { ask, type RunningLuna } from '../../running-luna.ts';

/** What `luna service` asks of a Luna that runs. */

export const root = '/api/external-services';

export function pathOf(name: string): string {
  return `${root}/${encodeURIComponent(name)}`;
}

export function detailOf(luna: RunningLuna, name: string): Promise<ExternalServiceDetailView> {
  return ask(luna, 'GET', pathOf(name), externalServiceDetailView);
}

/** Prints what is logged from a moment on, until it is ended. */
export async function showLogSince(luna: RunningLuna, name: string, since: string, signal: AbortSignal): Promise<void> {
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for await (const chunk of await openLog(luna, name, { lines: 1_000, follow: true }, signal)) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line >= since) process.stderr.write(`  ${line.slice(since.length + 1)}\n`);
    }
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
  }
}

/** There is no answer that waits for an install: it may take long. */
export async function untilSettled(luna: RunningLuna, name: string): Promise<ExternalServiceDetailView> {
  for (;;) {
    const view = await detailOf(luna, name);
    if (view.status !== 'installing') return view;
    await sleep(200);
  }
}

export async function openLog(
  luna: RunningLuna,
  name: string,
  { lines, follow }: { lines: number; follow: boolean },
  signal?: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  const response = await fetch(`${luna.url}${pathOf(name)}/logs?lines=${lines}&follow=${follow}`, {
    headers: { authorization: `Bearer ${luna.token}` },
    ...(signal && { signal }),
  });
  if (response.ok && response.body) return response.body;
  const refused = z.object({ error: z.object({ message: z.string() }) }).safeParse(await response.json());
  throw new LunaError('not_found', refused.data?.error.message ?? `Luna answered with HTTP ${response.status}.`);
}

export async function copyLog(
  luna: RunningLuna,
  name: string,
  wanted: { lines: number; follow: boolean },
  into: NodeJS.WritableStream,
  signal?: AbortSignal,
): Promise<void> {
  try {
    for await (const chunk of await openLog(luna, name, wanted, signal)) into.write(chunk);
  } catch (thrown) {
    if (!signal?.aborted) throw thrown;
  }
}

/** As it was written, so that a mistake is told with its line. */
export async function upload(luna: RunningLuna, text: string): Promise<ExternalServiceDetailView> {
  const response = await fetch(`${luna.url}${root}/upload`, {
    method: 'POST',
    headers: { authorization: `Bearer ${luna.token}`, 'content-type': 'application/json' },
    body: text,
  });
  const answer: unknown = await response.json();
  if (response.ok) return externalServiceDetailView.parse(answer);
  const refused = z.object({ error: z.object({ message: z.string() }) }).safeParse(answer);
  throw new LunaError('invalid_input', refused.data?.error.message ?? `Luna answered with HTTP ${response.status}.`);
}
