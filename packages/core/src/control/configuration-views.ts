import { z } from 'zod';

/** What a running Luna shows of its configuration and its keys. */

export const exportedConfigView = z.object({
  text: z.string().describe('master_config.json with references in the place of secrets.'),
  notes: z.array(z.string()).describe('Secrets that stand in the file itself, under which keys they are referred to.'),
});

export const appliedConfigView = z.object({
  applied: z.boolean(),
  differences: z.array(
    z.object({
      path: z.string(),
      before: z.string().optional().describe('As JSON; secrets are covered. Left out: it was not there.'),
      after: z.string().optional().describe('As JSON. Left out: it is not there any more.'),
    }),
  ),
  textDiffers: z.boolean().describe('Whether the file is another one, if only by comments or order.'),
  missing: z.array(z.string()).describe('Keys that the file refers to and .env does not have.'),
});

export const environmentKeyView = z.object({
  name: z.string(),
  masked: z.string().describe('Dots, and the last four characters of a long value.'),
  usedBy: z.array(z.string()).describe('The sources that take over a new value.'),
  keptBy: z
    .enum(['luna', 'hub'])
    .optional()
    .describe('Luna makes and needs the key itself, or it mirrors the key of a hub.'),
});

export const requiredKeyView = z.object({
  name: z.string(),
  missing: z.boolean(),
  wantedBy: z.array(z.object({ source: z.string(), kind: z.string() })),
});

export const mergedKeysView = z.object({
  set: z.array(z.string()).describe('Keys that are new or have another value now.'),
  unchanged: z.array(z.string()),
  skipped: z.array(z.object({ name: z.string(), reason: z.string() })),
});

export type ExportedConfigView = z.infer<typeof exportedConfigView>;
export type AppliedConfigView = z.infer<typeof appliedConfigView>;
export type EnvironmentKeyView = z.infer<typeof environmentKeyView>;
export type RequiredKeyView = z.infer<typeof requiredKeyView>;
export type MergedKeysView = z.infer<typeof mergedKeysView>;
