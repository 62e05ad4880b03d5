/**
 * The JSON in which a running Luna shows itself, for programs that ask one over HTTP: schemas alone, without what makes
 * what they describe. A command of the terminal loads this in a quarter
 * of the time that `@luna/core/control` takes.
 */
export * from '../control/agent-views.ts';
export * from '../control/views.ts';
export * from '../schedule/views.ts';
export * from '../services/views.ts';
export * from '../supervisor/views.ts';
export * from '../updates/views.ts';
