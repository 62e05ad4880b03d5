export { CoreUpdater } from './core-updater.ts';
