export { coreRefusal, type InstallExternalService, type JudgeCoreUpdate, type UpdateCore } from './apply.ts';
export { unpackTar, unpackZip } from './archive.ts';
export { type ArchiveLimits, defaultArchiveLimits, type UnpackOptions } from './archive-writer.ts';
export { AutoUpdates, type AutoUpdatesOptions } from './auto-updates.ts';
export { type CommandOptions, runCommand } from './command.ts';
export { type InstallDependenciesOptions, type InstallStep, installDependencies } from './dependencies.ts';
export type { LoadedState } from './exchange.ts';
export { digestOfFolder, type FolderDigest } from './folder-digest.ts';
export { updatesWait } from './folders.ts';
export { commandsIn } from './inspect.ts';
export { type GitProtocol, parseSource, type UpdateSource } from './source.ts';
export { Updates } from './updates.ts';
export type { UpdatesOptions } from './updates-options.ts';
export { maxUploadBytes, type Upload } from './uploads.ts';
export {
  type AppliedQueueView,
  appliedQueueView,
  type CurrentQueueView,
  currentQueueView,
  type InspectionView,
  inspectionView,
  nameOf,
  type PendingUpdateView,
  pendingUpdateView,
  type QueueProgress,
  queueProgress,
  type UpdateOperation,
  type UpdatePhase,
  type UpdatePlan,
  type UpdateQueueView,
  updateOperation,
  updatePhases,
  updatePlan,
  updateQueueView,
} from './views.ts';
