import { createInterface } from 'node:readline';
import { createAnswer, type IncomingMessage } from './answer.ts';

/** The same fixture over standard input and output: `node stdio.ts 10` serves ten tools. Ends when its input does. */

const answer = createAnswer(Number(process.argv[2] ?? 10));

createInterface({ input: process.stdin }).on('line', (line) => {
  const message = JSON.parse(line) as IncomingMessage;
  if (message.id !== undefined && message.method !== undefined) process.stdout.write(`${answer(message)}\n`);
});
