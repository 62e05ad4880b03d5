import { resolveReferences } from '../../config/index.ts';
import type { LunaError } from '../../errors/index.ts';
import {
  type ProxySettings,
  processRestartPolicy,
  type RestartPolicy,
  remoteRestartPolicy,
} from '../../supervisor/index.ts';
import type { PolicySource } from '../egress/index.ts';
import type { McpTarget } from './connect-options.ts';
import { readVariables } from './variables-file.ts';
import type { Authorize } from './way-out.ts';

export interface McpSourceOptions {
  readonly id: string;
  readonly title?: string;
  /** Where the server is. `${NAME}` in its environment, arguments and headers stands for a secret. */
  readonly target: McpTarget;
  /** The values of secrets, asked for anew at each connection. */
  readonly secrets?: () => Promise<Readonly<Record<string, string>>>;
  /** What a server over HTTP may lead to inside the network. The literal host of its own URL always is allowed. */
  readonly egress?: PolicySource;
  /** The proxies through which a server over HTTP is reached. */
  readonly proxy?: ProxySettings;
  /** Makes the authorization of a server that people authorize in the browser. */
  readonly authorize?: Authorize;
  /** What the server is told of its client. */
  readonly clientInfo?: { readonly name: string; readonly version: string };
  readonly owner?: string;
  /** The longest time for connecting, in milliseconds. Default 60,000. */
  readonly connectLimitMs?: number;
  /** How a lost connection is tried again. Default: like a process for commands, for ever for URLs. */
  readonly restart?: RestartPolicy;
  readonly onLog?: (line: string) => void;
  /** Told of each connection that was made, refused or lost. */
  readonly onSession?: (event: SessionEvent) => void;
}

/** What happened between Luna and a server. */
export type SessionEvent =
  | {
      readonly event: 'connected';
      readonly transport: string;
      readonly protocolVersion: string;
      readonly serverInfo?: { readonly name: string; readonly version: string };
      readonly tools: number;
    }
  | { readonly event: 'refused' | 'lost'; readonly code: string; readonly reason: string };

/** The target with the values of secrets in the place of references to them. */
export async function resolvedTarget({ id, target, secrets }: McpSourceOptions): Promise<McpTarget> {
  const values = (await secrets?.()) ?? {};
  const resolve = (text: string) => resolveReferences(text, values, `The server "${id}"`);
  const resolveAll = (texts: Readonly<Record<string, string>> = {}) =>
    Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, resolve(text)]));
  if (target.kind !== 'stdio') return { ...target, headers: resolveAll(target.headers) };
  const variables = target.envFile === undefined ? {} : await readVariables(target.envFile, id);
  return { ...target, args: target.args?.map(resolve), env: { ...variables, ...resolveAll(target.env) } };
}

/** How a server is tried again that could not be reached or was lost. */
export function restartPolicyOf(target: McpTarget, error: LunaError): RestartPolicy {
  // What is missing does not come by itself at once, but a person may install it while Luna runs.
  if (error.code === 'command_not_found' || error.code === 'invalid_input')
    return { ...remoteRestartPolicy, delaysMs: [5_000, 10_000, 20_000] };
  return target.kind === 'stdio' ? processRestartPolicy : remoteRestartPolicy;
}
