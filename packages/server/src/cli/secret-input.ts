import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { LunaError } from '@luna/core/errors';

/** Longer input is no secret, in characters. */
const maxLength = 1_048_576;

/**
 * A secret from a person or a program, never from an argument, which other users of the machine could see. In a terminal
 * it is asked for and not shown; otherwise it is all of standard input, without the line end.
 */
export async function readSecret(question: string): Promise<string> {
  const secret = process.stdin.isTTY ? await askUnseen(question) : (await readStandardInput()).replace(/\r?\n$/, '');
  if (secret === '') throw new LunaError('invalid_input', 'Nothing was entered.');
  return secret;
}

/** All of standard input, as text. */
export async function readStandardInput(): Promise<string> {
  let text = '';
  for await (const chunk of process.stdin.setEncoding('utf8')) {
    text += chunk;
    if (text.length > maxLength) throw new LunaError('too_large', 'Standard input is longer than 1 MiB.');
  }
  return text;
}

async function askUnseen(question: string): Promise<string> {
  process.stderr.write(`${question}: `);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  const stopped = new AbortController();
  terminal.once('SIGINT', () => stopped.abort());
  try {
    return await terminal.question('', { signal: stopped.signal });
  } catch (thrown) {
    throw new LunaError('cancelled', 'Nothing was changed.', { cause: thrown });
  } finally {
    terminal.close();
    process.stderr.write('\n');
  }
}
