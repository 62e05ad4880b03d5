import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { httpFileSchema } from './definition.ts';

test.each(['weather.yaml', 'pets.yaml'])(
  'the snippet %s of the documentation is a file that Luna takes',
  async (name) => {
    const text = await readFile(join(import.meta.dirname, '../../../../../docs/snippets', name), 'utf8');
    expect(httpFileSchema.safeParse(parse(text)).error).toBeUndefined();
  },
);
