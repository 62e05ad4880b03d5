import { basename } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Files that take longer than others of their size. One that began last would run alone, with the machine half idle: on a
 * clean clone vitest knows nothing but sizes.
 */
const longest = [
  'killed-at-random.test.ts',
  'update-kills.test.ts',
  'create-luna.test.ts',
  'client-conformance.test.ts',
  'example-home.test.ts',
  'backup.test.ts',
  'stopping-under-load.test.ts',
  'stopping.test.ts',
];

export class LongFilesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return [...sorted].sort((one, other) => rankOf(one) - rankOf(other));
  }
}

function rankOf({ moduleId }: TestSpecification): number {
  const rank = longest.indexOf(basename(moduleId));
  return rank === -1 ? longest.length : rank;
}
