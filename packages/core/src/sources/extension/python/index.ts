export { PythonHost, type PythonHostOptions } from './host.ts';
