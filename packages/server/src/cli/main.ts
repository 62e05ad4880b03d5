import { commandNames, lunaProgram } from './program.ts';

const named = process.argv[2] ?? '';
// The help of Luna itself names them all, and so do completions.
const isOne = commandNames.includes(named) && named !== 'completion';
const program = await lunaProgram(isOne ? [named] : commandNames);
await program.parseAsync();
