import { expect, test } from 'vitest';
import { readArguments } from './arguments.mjs';

const steps = ['lint', 'build', 'unit', 'integration', 'browser'];

test('without arguments all steps run and stop at the first failure', () => {
  expect(readArguments([], steps)).toEqual({ chosen: steps, all: false, rest: [] });
  expect(readArguments(['--all'], steps)).toEqual({ chosen: steps, all: true, rest: [] });
});

test('named steps run in their own order, and vitest gets the rest', () => {
  expect(readArguments(['unit', 'lint'], steps).chosen).toEqual(['lint', 'unit']);
  expect(readArguments(['integration', '-t', 'kill -9'], steps)).toEqual({
    chosen: ['integration'],
    all: false,
    rest: ['-t', 'kill -9'],
  });
});

test('an unknown step and arguments that nobody takes are refused', () => {
  expect(() => readArguments(['units'], steps)).toThrow('units is no step. Steps: lint, build');
  expect(() => readArguments(['lint', '-t', 'name'], steps)).toThrow('-t is no step');
  expect(() => readArguments(['-t', 'name'], steps)).toThrow('-t is no step');
});
