import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Luna } from '@luna/core/control';
import { keysEqual, supervisorTokenName } from '@luna/core/control';
import { LunaError } from '@luna/core/errors';
import type { Caller } from '@luna/core/tools';
import { assertFromHere, bearerOf, type HostGuard, type Person } from '../auth/guards.ts';
import type { WrongKeys } from '../auth/wrong-keys.ts';

export interface AgentsFaceOptions {
  readonly hosts: HostGuard;
  readonly wrongKeys: WrongKeys;
  /** Who is signed in in the browser of a request. */
  readonly personIn: (request: IncomingMessage) => Promise<Person | undefined>;
}

/**
 * Agents for clients of OpenAI, at /v1 and /api/agent/v1, behind AGENT_API_KEY; administrators get in too. Answered in
 * front of Koa, which would only delay the first token. False when the path is none of these.
 */
export function agentsFace(
  luna: Luna,
  options: AgentsFaceOptions,
): (request: IncomingMessage, response: ServerResponse) => boolean {
  const { http } = luna.agents;
  return (request, response) => {
    const path = /^(?:\/api\/agent)?\/v1(?=[/?]|$)([^?]*?)\/?(?:\?|$)/.exec(request.url ?? '')?.[1];
    if (path === undefined) return false;
    callerOf(luna, options, request).then(
      (caller) => http.handle(request, response, { path, caller }),
      (thrown) => http.refuse(response, thrown),
    );
    return true;
  };
}

/** Who asks. Throws `unauthorized`, `forbidden`, or `limit_exceeded` for one who guesses. */
async function callerOf(
  luna: Luna,
  { hosts, wrongKeys, personIn }: AgentsFaceOptions,
  request: IncomingMessage,
): Promise<Caller> {
  hosts.assertMeantForUs(request.headers);
  const key = bearerOf(request.headers);
  if (key !== undefined) {
    if (await luna.agents.opens(key)) return { kind: 'api', name: 'agent-key' };
    const token = (await luna.env.read())[supervisorTokenName] ?? '';
    if (token !== '' && keysEqual(key, token)) return { kind: 'api', name: 'supervisor' };
  } else {
    const person = await personIn(request);
    if (person) {
      assertFromHere(request);
      return { kind: 'ui', name: person.name };
    }
  }
  await wrongKeys.note(request, key);
  throw new LunaError(
    'unauthorized',
    'Agents want their key: send "Authorization: Bearer <AGENT_API_KEY>". It is in .env; "luna agent key" prints it.',
  );
}
