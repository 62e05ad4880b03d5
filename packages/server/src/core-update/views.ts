import { z } from 'zod';

export const coreChangeView = z.object({
  kind: z.enum(['npm', 'git']).describe('How this Luna was installed.'),
  root: z.string().describe('The folder that would be changed.'),
  present: z.string().describe('The version that runs.'),
  next: z.string().describe('The version that would.'),
  isSame: z.boolean().describe('Whether nothing would change.'),
  exact: z.string().describe('Names the new one for good: a version, or a commit.'),
  presentRevision: z.string().optional().describe('The commit that runs.'),
  changes: z.array(z.string()).describe('Of git: what was committed between the two, the newest first; up to 20.'),
});
export type CoreChangeView = z.infer<typeof coreChangeView>;
