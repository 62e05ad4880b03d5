import { copyFile } from 'node:fs/promises';
import { z } from 'zod';
import { writeFileDurably } from './atomic-file.ts';
import { editJsonText, parseJsonText } from './json-text.ts';
import { configVersion } from './schema.ts';

type Document = Record<string, unknown>;

/** How a document of each version becomes one of the next. A released step is never edited. */
const steps: Readonly<Record<number, (document: Document) => void>> = {};

/**
 * The text of a configuration in the form of today. Only what a step changes is edited; comments and order stay. A text
 * that is no configuration is returned as it is: whoever parses it next says why.
 */
export function migrateText(text: string, file: string, { to = configVersion, by = steps } = {}): string {
  const before = parseJsonText(text, z.record(z.string(), z.unknown()), file);
  const from = versionOf(before);
  if (from === undefined || from >= to) return text;
  const after = structuredClone(before);
  for (let version = from; version < to; version++) by[version]?.(after);
  after.luna = { ...(isObject(after.luna) ? after.luna : {}), config_version: to };
  return editJsonText(text, before, after);
}

/** Brings a file into the form of today. What it was is kept beside it, as `<file>.v<version>`. Returns its text. */
export async function migrateFile(file: string, text: string, options: { to?: number; by?: typeof steps } = {}) {
  const migrated = migrateText(text, file, options);
  if (migrated === text) return text;
  const before = parseJsonText(text, z.record(z.string(), z.unknown()), file);
  await copyFile(file, `${file}.v${versionOf(before)}`);
  await writeFileDurably(file, migrated);
  return migrated;
}

/** A document that does not say has the first form. */
function versionOf({ luna }: Document): number | undefined {
  const version = isObject(luna) ? (luna.config_version ?? 1) : 1;
  return typeof version === 'number' && Number.isInteger(version) ? version : undefined;
}

function isObject(value: unknown): value is Document {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
