import { type LunaErrorCode, lunaErrorCodes } from '@luna/core/errors';
import { z } from 'zod';

/** What a server tells the launcher that started it, over the channel between the two. */
export const serverMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('phase'), phase: z.string() }),
  z.object({
    type: z.literal('ready'),
    url: z.string(),
    signIn: z.string(),
    summary: z.string().describe('For people who look at the terminal.'),
  }),
  z.object({
    type: z.literal('failed'),
    code: z.string().pipe(z.custom<LunaErrorCode>((code) => typeof code === 'string' && code in lunaErrorCodes)),
    message: z.string(),
  }),
]);

export type ServerMessage = z.infer<typeof serverMessage>;

/** The server ends with this exit code when it wants to be started again. */
export const restartExitCode = 75;
