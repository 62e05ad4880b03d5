export { type BackupOptions, type BackupOutcome, createBackup } from './create.ts';
export { inspectBackup, type RestoreOptions, type RestoreOutcome, restoreBackup } from './restore.ts';
