import { PassThrough } from 'node:stream';
import type { Context } from 'koa';
import { z } from 'zod';

/** A log of a program: its last lines, and what it is added. */
export interface FollowableLog {
  readonly tail: (lines: number) => Promise<readonly string[]>;
  /** Calls the listener with what comes from now on; returns how to stop. */
  readonly follow: (listener: (text: string) => void) => () => void;
  /** Covers secrets. */
  readonly redact: (text: string) => string;
}

/** What is asked of a log. */
export const logQuery = z.object({
  lines: z.coerce.number().int().min(0).max(10_000).default(100),
  follow: z.stringbool().default(false),
});

/** A reader that does not read is let go, in bytes. */
const maxBufferedBytes = 4 * 1024 * 1024;

/** Answers with the last lines of a log, and with what follows them if that is asked for. */
export async function answerLog(
  { tail, follow, redact }: FollowableLog,
  wanted: z.infer<typeof logQuery>,
  ctx: Context,
): Promise<void> {
  const textOf = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('');
  const answer = (body: string | PassThrough) => {
    ctx.type = 'text/plain; charset=utf-8';
    ctx.set({ 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' });
    ctx.body = body;
  };
  if (!wanted.follow) {
    answer(redact(textOf(await tail(wanted.lines))));
    return;
  }
  // Followed before the file is read: what comes meanwhile is neither left out nor told twice.
  const body = new PassThrough();
  let meanwhile: string | undefined = '';
  const unfollow = follow((text) => {
    if (meanwhile !== undefined) meanwhile += text;
    else body.write(redact(text));
    if (body.writableLength + (meanwhile?.length ?? 0) > maxBufferedBytes) body.destroy();
  });
  body.once('close', unfollow);
  ctx.req.once('close', () => body.destroy());
  try {
    const former = wanted.lines > 0 ? textOf(await tail(wanted.lines)) : '';
    body.write(redact(former + restAfter(former, meanwhile)));
    meanwhile = undefined;
  } catch (thrown) {
    body.destroy();
    throw thrown;
  }
  answer(body);
  // The reader knows that it is heard, though nothing may be printed for long.
  ctx.flushHeaders();
}

/** What of a text that came later is not at the end of the former one already. Of equal lines one may pass for another. */
export function restAfter(former: string, later: string): string {
  for (let shared = Math.min(later.length, former.length); shared > 0; shared--)
    if (former.endsWith(later.slice(0, shared))) return later.slice(shared);
  return later;
}
