import type { UpdateOperation } from './views.ts';

/** Secrets that the install of an external service was given: they wait in the file of the queue, and are not shown. */

type ServiceOperation = UpdateOperation & { type: 'install_external_service' };

/** The operation as it is shown: of its secrets only the names. */
export function withoutSecrets<Operation extends UpdateOperation>(operation: Operation): Operation {
  if (!isServiceInstall(operation) || !operation.secrets?.length) return operation;
  const { secrets, config } = operation;
  const shown = settingsIn(config).filter(([name]) => !secrets.includes(name));
  return { ...operation, config: Object.fromEntries(shown) };
}

/** The operation as it is done. Who saves one as it was shown means the secrets that it has in the queue already. */
export function withSecretsOf(
  operation: ServiceOperation,
  queued: readonly UpdateOperation[] | undefined,
): ServiceOperation {
  const { name, secrets, config } = operation;
  if (!secrets?.length) return operation;
  const former = queued?.filter(isServiceInstall).find((one) => one.name === name);
  const kept = settingsIn(former?.config).filter(([setting]) => secrets.includes(setting));
  return { ...operation, config: { ...Object.fromEntries(kept), ...Object.fromEntries(settingsIn(config)) } };
}

function isServiceInstall(operation: UpdateOperation): operation is ServiceOperation {
  return operation.type === 'install_external_service';
}

function settingsIn(config: unknown): [string, unknown][] {
  return typeof config === 'object' && config !== null && !Array.isArray(config) ? Object.entries(config) : [];
}
