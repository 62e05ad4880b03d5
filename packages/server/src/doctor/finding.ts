import { z } from 'zod';

/** What a check found. */
export const findingSchema = z.object({
  check: z.string().describe('What was looked at, in a word or two.'),
  status: z.enum(['ok', 'warning', 'problem']),
  message: z.string(),
  advice: z.string().optional().describe('What to do about it.'),
});

export type Finding = z.infer<typeof findingSchema>;

export function ok(check: string, message: string): Finding {
  return { check, status: 'ok', message };
}

export function warning(check: string, message: string, advice: string): Finding {
  return { check, status: 'warning', message, advice };
}

export function problem(check: string, message: string, advice: string): Finding {
  return { check, status: 'problem', message, advice };
}
