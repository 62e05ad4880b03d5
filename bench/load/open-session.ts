import type { Endpoint } from './jobs.ts';
import type { Session } from './session.ts';
import { openSseSession } from './sse.ts';
import { openStreamableSession } from './streamable.ts';

/** Opens a session over the transport that the target was made for. Throws when the handshake fails. */
export function openSession(endpoint: Endpoint): Promise<Session> {
  return endpoint.transport === 'sse' ? openSseSession(endpoint) : openStreamableSession(endpoint);
}
