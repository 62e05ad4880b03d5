import { shownSecrets } from './check-definition.ts';
import { unknownFields } from './definition.ts';
import { type ServiceCommand, type ServiceDefinition, titleOf } from './definition-shape.ts';
import { isSecret, openValues } from './form.ts';
import type { ServiceRecord } from './registry.ts';
import type { ManagedService } from './service.ts';
import { hasEntries } from './service-install.ts';
import type { ServiceRoute } from './service-routes.ts';
import type { ExternalServiceDetailView, ExternalServiceView } from './views.ts';

/** A service as people see it. */
export async function describeService(
  service: ManagedService,
  about: { readonly enabled: boolean; readonly shipped: boolean; readonly route: ServiceRoute | undefined },
): Promise<ExternalServiceView> {
  const { definition, values, record, state, book, isInstalled } = service;
  const { enabled, shipped, route } = about;
  const { fields } = definition.config_form;
  const isWrong = ['unhealthy', 'failed', 'install_failed'].includes(record.status);
  return {
    name: book.name,
    title: titleOf(definition),
    description: definition.description,
    category: definition.category,
    version: definition.version,
    installed: isInstalled,
    shipped,
    enabled,
    status: record.status,
    ...(record.reason !== undefined && { reason: record.reason }),
    ...(isWrong && { log: book.log.recent() }),
    ...state,
    ...(record.installed_at !== undefined && { installedAt: record.installed_at }),
    ...(record.started_at !== undefined && { startedAt: record.started_at }),
    ...(record.last_health_check !== undefined && { lastHealthCheck: record.last_health_check }),
    ...(record.last_healthy !== undefined && { lastHealthy: record.last_healthy }),
    ...(isInstalled && route && { path: route.path, openMode: route.open_mode }),
    config: openValues(fields, values),
    secrets: fields.filter((field) => isSecret(field) && Object.hasOwn(values, field.name)).map(({ name }) => name),
    provides: [...new Set([...definition.provides_vars, ...Object.keys(definition.post_install_env)])],
    notes: notesOn(definition),
    hasData: await hasEntries(service.dataFolder),
  };
}

/** An installed service whose definition cannot be read now: that much is known of it. */
export function describeBroken(name: string, record: ServiceRecord | undefined): ExternalServiceView[] {
  if (!record) return [];
  const { installed, shipped, status, reason } = record;
  return [
    {
      ...{ name, title: name, description: '', category: 'other', version: '' },
      ...{ installed, shipped, enabled: false, status, restarts: 0, config: {}, secrets: [] },
      ...{ provides: [], notes: [], hasData: false },
      ...(reason !== undefined && { reason }),
    },
  ];
}

/** What an install asks for, and what it runs. */
export function describeDefinition(
  definition: ServiceDefinition,
): Pick<ExternalServiceDetailView, 'form' | 'commands' | 'requires'> {
  const { config_form, commands, requires } = definition;
  return {
    form: config_form.fields.map((field) => ({ ...field, secret: isSecret(field) })),
    commands: Object.fromEntries(
      Object.entries(commands).flatMap(([name, command]) => (isCommand(command) ? [[name, command.command]] : [])),
    ),
    requires: requires.map(({ program }) => program),
  };
}

function notesOn(definition: ServiceDefinition): string[] {
  const unknown = unknownFields(definition).map((field) => `service.json has "${field}", which Luna does not know.`);
  const [shown] = shownSecrets(definition);
  const visible = `While a command runs, others on this machine can see the secret "${shown}" in the list of processes.`;
  return shown === undefined ? unknown : [...unknown, visible];
}

function isCommand(value: unknown): value is ServiceCommand {
  return typeof value === 'object' && value !== null && 'command' in value && 'env' in value;
}
