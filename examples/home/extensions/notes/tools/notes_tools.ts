import { defineTool } from '@luna/core/tools';
import { z } from 'zod';
import { NoteStore } from '../note-store.ts';

export const SYSTEM_PROMPT = 'You can keep notes for the person. Search them before you say that you do not know.';

const tag = z.string().trim().min(1).max(50);
const limit = z.number().int().min(1).max(100).default(20).describe('How many notes at the most.');
const offset = z.number().int().min(0).default(0).describe('How many to pass over.');
const note = z.object({ id: z.number(), text: z.string(), tags: z.array(z.string()), created_at: z.string() });
const notes = z.object({ total: z.number().describe('How many there are in all.'), notes: z.array(note) });

export const TOOLS = [
  defineTool({
    name: 'notes_add',
    description: 'Keeps a note.',
    input: z.object({
      text: z.string().trim().min(1).max(100_000).describe('The note itself.'),
      tags: z.array(tag).max(20).default([]).describe('Words to find it by.'),
    }),
    output: note,
    annotations: { destructiveHint: false, openWorldHint: false },
    examples: [
      {
        prompt: 'Note that the bin is collected on Tuesday.',
        args: { text: 'The bin is collected on Tuesday.', tags: ['home'] },
      },
    ],
    handler: (args, { dataDir }) => NoteStore.in(dataDir).add(args.text, args.tags),
  }),
  defineTool({
    name: 'notes_search',
    description:
      'Finds notes that hold all of the words, the best match first. A word may end in * to match beginnings.',
    input: z.object({ query: z.string().trim().min(1).max(500), limit, offset }),
    output: notes,
    annotations: { readOnlyHint: true, openWorldHint: false },
    examples: [{ prompt: 'When is the bin collected?', args: { query: 'bin collect*' } }],
    handler: (args, { dataDir }) =>
      NoteStore.in(dataDir).search(args) ?? [false, `"${args.query}" holds no word to search for.`],
  }),
  defineTool({
    name: 'notes_list',
    description: 'Lists notes, the newest first.',
    input: z.object({
      tag: tag.optional().describe('Only notes with this tag.'),
      limit,
      offset,
    }),
    output: notes,
    annotations: { readOnlyHint: true, openWorldHint: false },
    handler: (args, { dataDir }) => NoteStore.in(dataDir).list(args),
  }),
  defineTool({
    name: 'notes_delete',
    description: 'Deletes a note for good.',
    input: z.object({ id: z.number().int().describe('The id that the other tools show.') }),
    annotations: { destructiveHint: true, idempotentHint: true, openWorldHint: false },
    handler: ({ id }, { dataDir }) =>
      NoteStore.in(dataDir).delete(id)
        ? `Note ${id} is deleted.`
        : [false, `There is no note ${id}. notes_list shows the ids.`],
  }),
];
