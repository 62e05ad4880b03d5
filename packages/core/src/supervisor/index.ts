export {
  type Child,
  type ChildExit,
  type ChildOptions,
  childEnvironment,
  describeExit,
  ownerMark,
  startChild,
} from './child.ts';
export { type HomeLock, lockHolder, takeLock } from './home-lock.ts';
export { LineTail } from './line-tail.ts';
export { networkVariables, type ProxySettings, proxySettings, registryEnvironment } from './network-environment.ts';
export { identify, isRunning, type ProcessIdentity, processesMarked } from './process-identity.ts';
export {
  afterFailure,
  noFailures,
  processRestartPolicy,
  type RestartHistory,
  type RestartPolicy,
  remoteRestartPolicy,
} from './restart.ts';
export { defaultGraceMs, stopGroup, stopProcesses } from './stop.ts';
