import { SetupError } from '../setup/root.mjs';

const vitestSteps = ['unit', 'integration', 'browser'];

/**
 * Reads `npm test -- [--all] [step…] [arguments of vitest]`. Throws a {@link SetupError} for an unknown step, and for
 * arguments that none of the chosen steps takes.
 * @param {string[]} args
 * @param {string[]} steps the names of all steps in order
 * @returns {{ chosen: string[], all: boolean, rest: string[] }} the steps to run in order, whether to go on after a
 *   failure, and what vitest gets
 */
export function readArguments(args, steps) {
  const firstOther = args.findIndex((arg) => arg !== '--all' && !steps.includes(arg));
  const own = firstOther === -1 ? args : args.slice(0, firstOther);
  const rest = firstOther === -1 ? [] : args.slice(firstOther);
  const named = steps.filter((step) => own.includes(step));
  if (rest.length && !(named.length && named.every((step) => vitestSteps.includes(step)))) {
    throw new SetupError(
      `${rest[0]} is no step. Steps: ${steps.join(', ')}; after ${vitestSteps.join(', ')} the arguments of vitest, for example: npm test -- unit -t "name".`,
    );
  }
  return { chosen: named.length ? named : steps, all: own.includes('--all'), rest };
}
