export {
  type Child,
  type ChildExit,
  type ChildOptions,
  childEnvironment,
  describeExit,
  ownerMark,
  startChild,
} from './child.ts';
export { type CheckPlace, checkHealth, type HealthCheck } from './health-check.ts';
export { type HomeLock, lockHolder, takeLock } from './home-lock.ts';
export { endOfLines, type LastLinesOptions, lastLines, openIfThere } from './last-lines.ts';
export { LineTail } from './line-tail.ts';
export { networkVariables, type ProxySettings, proxySettings, registryEnvironment } from './network-environment.ts';
export { choosePort, isFree, type PortRange, type PortRequest } from './ports.ts';
export { identify, isRunning, type ProcessIdentity, processesMarked } from './process-identity.ts';
export { Pulse } from './pulse.ts';
export {
  afterFailure,
  noFailures,
  processRestartPolicy,
  type RestartHistory,
  type RestartPolicy,
  remoteRestartPolicy,
} from './restart.ts';
export type { HealthTimes, ServiceDefinition, ServiceState, ServiceStatus } from './service.ts';
export { ServiceLog, type ServiceLogOptions } from './service-log.ts';
export { interpreterOf } from './shell-script.ts';
export { type BegunPhase, type PhaseOutcome, StartPhases } from './start-phases.ts';
export { defaultGraceMs, stopGroup, stopProcesses } from './stop.ts';
export { type ServiceReport, Supervisor, type SupervisorOptions } from './supervisor.ts';
export { UnderWay } from './under-way.ts';
export { type StartPhase, type StartPhaseName, startPhaseNames, startPhaseView } from './views.ts';
export { firstMessage, startWorker, type WorkerOptions, workerBeside } from './worker-thread.ts';
