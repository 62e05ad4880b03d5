import { readFile, stat, writeFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { defineTool } from '@luna/core/tools';
import { z } from 'zod';
import { inWorkspace } from '../lib/workspace.ts';

/** A picture that unfolds to more than this, or a file that is longer, is refused before it is read. */
const maxPixels = 50_000_000;
const maxBytes = 50_000_000;
const path = z.string().min(1).describe('A picture, within the workspace.');
const formats = ['png', 'jpeg', 'webp', 'avif', 'gif', 'tiff'] as const;

async function open(dataDir: string, file: string) {
  const { default: sharp } = await import('sharp').catch(() => {
    throw new Error('The package sharp is missing. Run: luna ext install dev-tools');
  });
  const real = await inWorkspace(dataDir, file);
  if ((await stat(real)).size > maxBytes) throw new Error(`${file} is longer than ${maxBytes} bytes.`);
  return sharp(await readFile(real), { limitInputPixels: maxPixels });
}

/** What the ending of a file says; undefined leaves the format as it is. */
function formatOf(file: string): (typeof formats)[number] | undefined {
  const ending = extname(file).slice(1).toLowerCase();
  return formats.find((format) => format === ({ jpg: 'jpeg', tif: 'tiff' }[ending] ?? ending));
}

export const TOOLS = [
  defineTool({
    name: 'image_info',
    description: 'Tells the format, the size and more of a picture.',
    input: z.object({ path }),
    annotations: { readOnlyHint: true, openWorldHint: false },
    handler: async ({ path: file }, { dataDir }) => {
      const { format, width, height, space, channels, hasAlpha, density, orientation } = await (
        await open(dataDir, file)
      ).metadata();
      return { format, width, height, space, channels, has_alpha: hasAlpha, density, orientation };
    },
  }),
  defineTool({
    name: 'image_resize',
    description: 'Makes a picture smaller or larger and writes it to another file, in the format that its ending says.',
    input: z.object({
      path,
      to: z.string().min(1).describe('The new file, within the workspace.'),
      width: z.int().min(1).max(10_000).optional(),
      height: z.int().min(1).max(10_000).optional(),
      fit: z.enum(['cover', 'contain', 'fill', 'inside', 'outside']).default('inside'),
    }),
    handler: async ({ path: file, to, width, height, fit }, { dataDir }) => {
      if (width === undefined && height === undefined) return [false, 'Give a width, a height, or both.'];
      // As it is to be seen: a camera that was held upright says so beside the picture, where it would be lost.
      const resized = (await open(dataDir, file)).rotate().resize({ width, height, fit });
      const format = formatOf(to);
      const { data, info } = await (format ? resized.toFormat(format) : resized).toBuffer({ resolveWithObject: true });
      await writeFile(await inWorkspace(dataDir, to), data);
      return { path: to, format: info.format, width: info.width, height: info.height, bytes: info.size };
    },
  }),
  defineTool({
    name: 'image_convert',
    description: 'Writes a picture in another format.',
    input: z.object({
      path,
      to: z.string().min(1).describe('The new file, within the workspace.'),
      format: z.enum(formats),
      quality: z.int().min(1).max(100).optional(),
    }),
    handler: async ({ path: file, to, format, quality }, { dataDir }) => {
      const picture = (await open(dataDir, file)).rotate().toFormat(format, quality === undefined ? {} : { quality });
      const { data, info } = await picture.toBuffer({ resolveWithObject: true });
      await writeFile(await inWorkspace(dataDir, to), data);
      return { path: to, format: info.format, width: info.width, height: info.height, bytes: info.size };
    },
  }),
];
