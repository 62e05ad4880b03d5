// The set-up runs before Node 24 and any dependency is there: everything in this folder is plain JavaScript for Node 18.
import { constants } from 'node:os';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the repository. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** Where npm links the commands of the dependencies, `node` (24) among them. */
export const binFolder = resolve(root, 'node_modules/.bin');

/** An error whose message is all that the person needs; it is shown without a stack. */
export class SetupError extends Error {}

/** Thrown when a signal to this process ended the command that it waited for; what is above cleans up and goes too. */
export class Interrupted extends Error {
  /** @param {NodeJS.Signals} signal */
  constructor(signal) {
    super(`Interrupted by ${signal}.`);
    this.signal = signal;
  }
}

/**
 * Runs the main function of a script. A {@link SetupError} ends the process with its message and exit code 1, an
 * {@link Interrupted} as the signal would have.
 * @param {() => Promise<void>} main
 */
export async function runScript(main) {
  try {
    await main();
  } catch (error) {
    if (error instanceof Interrupted) {
      process.exitCode = 128 + constants.signals[error.signal];
      return void process.kill(process.pid, error.signal);
    }
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(`\n${error.message}\n`);
    process.exitCode = 1;
  }
}
