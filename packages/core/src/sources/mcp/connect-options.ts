import type { CallClient, PeerNotification } from '../../tools/index.ts';
import type { WayOut } from './way-out.ts';

/** Where an MCP server is and how it is reached. References to secrets are resolved already. */
export type McpTarget =
  | {
      readonly kind: 'stdio';
      readonly command: string;
      readonly args?: readonly string[];
      /** All that the process gets of the environment, beside the few variables that every program needs. */
      readonly env?: Readonly<Record<string, string>>;
      /** A file of further variables in the form of `.env`; `env` wins. */
      readonly envFile?: string;
      /** Default: the working folder of this process. */
      readonly cwd?: string;
    }
  | {
      readonly kind: 'http' | 'sse' | 'http-or-sse';
      readonly url: URL;
      readonly headers?: Readonly<Record<string, string>>;
    };

export interface ConnectOptions {
  readonly target: McpTarget;
  readonly clientInfo: { readonly name: string; readonly version: string };
  /** How a server over HTTP is reached. */
  readonly wayOut?: WayOut;
  /** See `ChildOptions.owner`. */
  readonly owner?: string;
  /** The server is known to speak only the 2025 protocols: do not ask. */
  readonly knownLegacy?: boolean;
  /** The longest time for connecting, in milliseconds. */
  readonly connectLimitMs: number;
  /** Breaks off the connecting. */
  readonly signal: AbortSignal;
  readonly onLog?: (line: string) => void;
  readonly onListChanged: (kind: 'tools' | 'resources' | 'prompts') => void;
  /** Something that the server tells without being asked, other than that a list changed. */
  readonly onNotification: (notification: PeerNotification) => void;
  /** Clients that a question of the server can be for which belongs to no request. */
  readonly clients: () => Iterable<CallClient>;
  /** Called once when the connection is lost without {@link McpConnection.close}. */
  readonly onLost: (reason: string) => void;
}
