import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { defineTool } from '@luna/core/tools';
import { z } from 'zod';

let database: DatabaseSync | undefined;

/** The database of this extension, in the folder that Luna keeps for its data. */
function todos(folder: string): DatabaseSync {
  if (database) return database;
  mkdirSync(folder, { recursive: true });
  database = new DatabaseSync(join(folder, 'todo.sqlite'));
  database.exec(
    'CREATE TABLE IF NOT EXISTS todos (id INTEGER PRIMARY KEY, text TEXT NOT NULL, done INTEGER NOT NULL DEFAULT 0)',
  );
  return database;
}

export const TOOLS = [
  defineTool({
    name: 'todo_add',
    description: 'Puts something on the list.',
    input: z.object({ text: z.string().min(1) }),
    handler: ({ text }, { dataDir }) =>
      todos(dataDir).prepare('INSERT INTO todos (text) VALUES (?) RETURNING id, text').get(text),
  }),
  defineTool({
    name: 'todo_list',
    description: 'Shows what is still to be done.',
    annotations: { readOnlyHint: true },
    handler: (_args, { dataDir }) => ({
      todos: todos(dataDir).prepare('SELECT id, text FROM todos WHERE done = 0 ORDER BY id').all(),
    }),
  }),
  defineTool({
    name: 'todo_done',
    description: 'Ticks something off.',
    input: z.object({ id: z.number().int() }),
    handler: ({ id }, { dataDir }) => {
      const { changes } = todos(dataDir).prepare('UPDATE todos SET done = 1 WHERE id = ?').run(id);
      return changes > 0 ? `${id} is done.` : [false, `There is no ${id} on the list. todo_list shows the ids.`];
    },
  }),
];
