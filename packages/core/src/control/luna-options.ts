import type { ConfigStore, EnvFile, HomePaths } from '../config/index.ts';
import type { ExternalServices, ExternalServicesOptions } from '../services/index.ts';
import type { SourceKind } from '../sources/index.ts';
import type { Store } from '../store/index.ts';
import type { HomeLock, StartPhase, StartPhases, Supervisor } from '../supervisor/index.ts';
import type { TimeoutLimits } from '../tools/index.ts';
import type { InstallExternalService, JudgeCoreUpdate, UpdateCore } from '../updates/index.ts';
import type { Pins } from './pins-file.ts';

export interface LunaOptions {
  /** The folder that holds this Luna. Made when missing. */
  readonly home: string;
  /** The version of the program that runs it. */
  readonly version: string;
  /** The address that people reach it under, for links. Can be set later: {@link Luna.publicUrl}. */
  readonly publicUrl?: string;
  /** Limits of every call. Default: 2 minutes without answer or progress, 1 hour in all. */
  readonly callLimits?: TimeoutLimits;
  /**
   * Marks everything that is started (see `ChildOptions.owner`). Given by a parent process that holds the lock of the
   * home for this one, and ends what this one leaves. Left out: this process takes the lock itself.
   */
  readonly owner?: string;
  /** Definitions of external services that are offered, and how these are run. */
  readonly externalServices?: Pick<
    ExternalServicesOptions,
    'shippedFolders' | 'environment' | 'healthIntervalMs' | 'restartPolicy' | 'unpack'
  >;
  /** Kinds of source of one's own, beside those that Luna brings. */
  readonly kinds?: readonly SourceKind[];
  /** How the update queue installs external services. Left out: as the API does. */
  readonly installExternalService?: InstallExternalService;
  /** Updates Luna itself for the update queue. Left out: that is refused. */
  readonly updateCore?: UpdateCore;
  /** Asked before an update of Luna itself is queued. */
  readonly judgeCoreUpdate?: JudgeCoreUpdate;
  /** Variables that win over `.env` for models: OPENAI_BASE_URL, OPENAI_API_KEY, LUNA_DEFAULT_LLM. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Told of each phase of the start as it begins and ends; see {@link Luna.startPhases}. */
  readonly onPhase?: (phase: StartPhase) => void;
  /** Gets what sources print and what goes wrong out of anyone's sight. */
  readonly onLog?: (entry: { readonly from: string; readonly line: string }) => void;
}

/** What is opened before a Luna is made. */
export interface LunaParts {
  readonly paths: HomePaths;
  readonly lock: HomeLock;
  readonly config: ConfigStore;
  readonly env: EnvFile;
  readonly store: Store;
  readonly pins: Pins;
  readonly supervisor: Supervisor;
  readonly externalServices: ExternalServices;
  readonly startPhases: StartPhases;
}
