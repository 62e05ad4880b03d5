import type { ConfigStore } from '../config/index.ts';
import type { EgressPolicy } from '../sources/egress/index.ts';
import type { InstallExternalService, JudgeCoreUpdate, UpdateCore } from './apply.ts';
import type { LoadedState } from './exchange.ts';
import type { FetchedCopiesOptions } from './fetch.ts';
import type { QueueProgress } from './views.ts';

export interface UpdatesOptions {
  /** The folder with a folder for each extension. */
  readonly extensions: string;
  /** The folder `.luna` of the home, on the same file system. */
  readonly generated: string;
  readonly config: ConfigStore;
  /** The keys that are set in `.env`. */
  readonly secrets: () => Promise<readonly string[]>;
  /** What may be reached inside the network. */
  readonly egress: () => EgressPolicy;
  /** See `ChildOptions.owner`. */
  readonly owner?: string | undefined;
  /** Does something while nothing is started or stopped. Default: at once. */
  readonly exclusively?: <Result>(work: () => Promise<Result>) => Promise<Result>;
  readonly state?: (name: string) => LoadedState;
  /** Has an extension loaded as its files are now. Left out: nobody runs it. */
  readonly load?: (name: string) => Promise<LoadedState>;
  /** Left out: operations of this kind are refused. */
  readonly installExternalService?: InstallExternalService | undefined;
  readonly updateCore?: UpdateCore | undefined;
  /** Asked before an update of Luna itself is queued. */
  readonly judgeCoreUpdate?: JudgeCoreUpdate | undefined;
  readonly onChange?: () => void;
  readonly onProgress?: (progress: QueueProgress) => void;
  readonly onLog?: (line: string) => void;
  /** Limits of fetching. */
  readonly fetching?: Pick<FetchedCopiesOptions, 'limits' | 'maxFetchBytes' | 'limitMs'>;
}
