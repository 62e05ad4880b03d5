import type { EnvFile } from '../config/index.ts';
import type { RestartPolicy } from '../supervisor/index.ts';
import type { Unpack } from './definition-folders.ts';

export interface ExternalServicesOptions {
  /** The home: commands run there. */
  readonly home: string;
  /** `external_services` of the home. */
  readonly folder: string;
  /** Folders with definitions that Luna brings, one folder each. */
  readonly shippedFolders?: readonly string[];
  /** `.luna/external_services.json`. */
  readonly registryFile: string;
  /** `.luna/external_service_routes.json`. */
  readonly routesFile: string;
  /** Where each service has its log. */
  readonly logFolder: string;
  readonly env: EnvFile;
  /** Variables for all commands, for example where a container engine listens. */
  readonly environment?: Readonly<Record<string, string>>;
  /** See `ChildOptions.owner`. */
  readonly owner: string;
  /** How often health is asked for. Default 30 seconds. */
  readonly healthIntervalMs?: number;
  readonly restartPolicy?: RestartPolicy;
  /** Unpacks uploaded archives. Left out: only single definitions can be uploaded. */
  readonly unpack?: Unpack;
  readonly onEvent?: (event: ServiceEvent) => void;
  readonly onError: (message: string) => void;
}

export type ServiceEvent =
  | { readonly type: 'external-services.changed'; readonly name: string }
  | { readonly type: 'external-service.output'; readonly name: string; readonly line: string };

/** What the configuration asks for. */
export interface WantedService {
  /** Whether Luna keeps it running. */
  readonly enabled: boolean;
  /** Settings without secrets; those that are not named stay. */
  readonly config?: Readonly<Record<string, unknown>> | undefined;
}
