export { PythonHost, type PythonHostOptions } from './host.ts';
export { findPythonFiles } from './interpreter.ts';
