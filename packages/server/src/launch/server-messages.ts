import { type LunaErrorCode, lunaErrorCodes } from '@luna/core/errors';
import { startPhaseView } from '@luna/core/supervisor';
import { z } from 'zod';
import { lunaAddress } from '../addresses.ts';

/** What a server tells the launcher that started it, over the channel between the two. */
export const serverMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('phase'), phase: startPhaseView }),
  z.object({
    type: z.literal('ready'),
    url: z.string(),
    signIn: z.string(),
    // A launcher may have started a newer server than itself, which says more.
    addresses: z.array(lunaAddress).catch([]),
    phases: z.array(startPhaseView).catch([]),
    summary: z.string().catch('').describe('For people who look at the terminal.'),
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
/** The server ends with this exit code when it wants to be started again as another version, which it has staged. */
export const updateExitCode = 76;
