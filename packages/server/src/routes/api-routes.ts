import type { Luna } from '@luna/core/control';
import type { GitHub } from '../auth/git-hub.ts';
import type { AuthorizationServer } from '../auth/oauth/authorization-server.ts';
import type { SignInLinks } from '../auth/sign-in-links.ts';
import type { WrongKeys } from '../auth/wrong-keys.ts';
import type { CoreUpdater } from '../core-update/index.ts';
import type { PublicAddress } from '../public-address.ts';
import { agentRoutes } from './agents.ts';
import { authRoutes } from './auth.ts';
import { configRoutes } from './config.ts';
import type { Route } from './contract.ts';
import { coreUpdateRoutes } from './core-update.ts';
import { eventRoutes } from './events.ts';
import { extensionRoutes } from './extensions.ts';
import { externalServiceRoutes } from './external-services.ts';
import { keyRoutes } from './keys.ts';
import { type Lifecycle, lifecycleRoutes } from './lifecycle.ts';
import { logRoutes } from './logs.ts';
import { mcpServerRoutes } from './mcp-servers.ts';
import { oauthClientRoutes } from './oauth-clients.ts';
import { OpenStreams } from './open-streams.ts';
import { pinnedToolRoutes } from './pinned-tools.ts';
import { remoteMcpRoutes } from './remote-mcp.ts';
import { scheduleRoutes } from './schedules.ts';
import { serviceRoutes } from './services.ts';
import { supervisorRoutes } from './supervisor.ts';
import { updateQueueRoutes } from './update-queue.ts';
import { upstreamAuthorizationRoutes } from './upstream-authorization.ts';

export interface ApiOptions {
  readonly links: SignInLinks;
  readonly address: PublicAddress;
  readonly wrongKeys: WrongKeys;
  readonly gitHub: GitHub;
  readonly server: AuthorizationServer;
  /** Left out: this server cannot be ended over its API. */
  readonly lifecycle?: Lifecycle;
  /** Left out: Luna itself cannot be updated. */
  readonly coreUpdater?: CoreUpdater;
}

/** Streams of events and logs that may be open at one time. */
const maxStreams = 100;

/** The routes of the API, a file for each surface. */
export function apiRoutes(luna: Luna, options: ApiOptions): Route[] {
  const { links, address, wrongKeys, gitHub, server } = options;
  const streams = new OpenStreams(maxStreams);
  return [
    ...authRoutes({ store: luna.store, links, wrongKeys, gitHub, address }),
    ...oauthClientRoutes(luna, server),
    ...eventRoutes(luna, streams),
    ...logRoutes(luna, streams),
    ...mcpServerRoutes(luna),
    ...upstreamAuthorizationRoutes(luna, address),
    ...pinnedToolRoutes(luna),
    ...remoteMcpRoutes(luna),
    ...serviceRoutes(luna),
    ...scheduleRoutes(luna),
    ...agentRoutes(luna),
    ...externalServiceRoutes(luna),
    ...extensionRoutes(luna),
    ...updateQueueRoutes(luna),
    ...lifecycleRoutes(options.lifecycle, options.coreUpdater !== undefined),
    ...(options.coreUpdater ? coreUpdateRoutes(options.coreUpdater) : []),
    ...supervisorRoutes(luna, links),
    ...configRoutes(luna),
    ...keyRoutes(luna),
  ];
}
