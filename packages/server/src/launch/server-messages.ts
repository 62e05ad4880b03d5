import { startPhaseView } from '@luna/core/control';
import { type LunaErrorCode, lunaErrorCodes } from '@luna/core/errors';
import { z } from 'zod';
import { lunaAddress } from '../addresses.ts';

/** What a server tells the launcher that started it, over the channel between the two. */
export const serverMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('phase'), phase: startPhaseView }),
  z.object({
    type: z.literal('ready'),
    url: z.string(),
    signIn: z.string(),
    addresses: z.array(lunaAddress),
    phases: z.array(startPhaseView),
    summary: z.string().describe('For people who look at the terminal.'),
  }),
  z.object({
    type: z.literal('failed'),
    code: z.string().pipe(z.custom<LunaErrorCode>((code) => typeof code === 'string' && code in lunaErrorCodes)),
    message: z.string(),
    phase: startPhaseView.shape.name.optional().describe('In which phase of the start.'),
  }),
]);

export type ServerMessage = z.infer<typeof serverMessage>;

/** The server ends with this exit code when it wants to be started again. */
export const restartExitCode = 75;
