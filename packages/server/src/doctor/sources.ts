import type { MasterConfig } from '@luna/core/config';
import { messageOf, systemCodeOf } from '@luna/core/errors';
import type { RequiredKeyView, SourceView } from '@luna/core/views';
import { type Finding, ok, problem, warning } from './finding.ts';
import { findProgram } from './machine.ts';

/** How long a server may take to answer, in milliseconds. */
const reachLimitMs = 5_000;

export function checkKeys(keys: readonly RequiredKeyView[]): Finding[] {
  const missing = keys.filter((key) => key.missing);
  if (missing.length === 0) return [ok('keys', 'No source lacks an environment key.')];
  return missing.map(({ name, wantedBy }) =>
    problem(
      'keys',
      `${name} is not set; ${wantedBy.map(({ source }) => source).join(', ')} cannot do without.`,
      `Run: luna keys set ${name}`,
    ),
  );
}

/** What a running Luna says of its sources. */
export function checkSources(sources: readonly SourceView[]): Finding[] {
  const ill = sources.filter(({ enabled, health }) => enabled && !['ready', 'starting'].includes(health.status));
  if (ill.length === 0) return [ok('sources', `All ${sources.length} are well.`)];
  return ill.map(({ id, kind, health }) => {
    const text = `${id} (${kind}) is ${health.status.replace('_', ' ')}: ${health.reason ?? 'no reason is known'}`;
    if (health.status === 'needs_authorization') return warning('sources', text, `Run: luna authorize ${id}`);
    return problem('sources', text, 'Do what the reason says; logs/luna.log has more.');
  });
}

/** Without a Luna that runs: whether MCP servers can be reached, and their commands are there. */
export function checkUpstreams({ remote_mcp_servers: servers }: MasterConfig): Promise<Finding[]> {
  const enabled = Object.entries(servers).filter(([, server]) => server.enabled);
  return Promise.all(
    enabled.map(async ([id, { url, command = '' }]) => {
      const check = `server ${id}`;
      if (url !== undefined) return reach(check, new URL(url));
      if ((await findProgram(command)) !== undefined) return ok(check, `${command} is there.`);
      return problem(check, `${command} is not on the PATH.`, 'Install it, or give its whole path as "command".');
    }),
  );
}

/** Any answer will do: whether the server likes the request is another question. */
async function reach(check: string, url: URL): Promise<Finding> {
  try {
    const signal = AbortSignal.timeout(reachLimitMs);
    const response = await fetch(url.origin, { method: 'HEAD', redirect: 'manual', signal });
    return ok(check, `${url.origin} answers (HTTP ${response.status}).`);
  } catch (thrown) {
    const cause = thrown instanceof Error && thrown.cause !== undefined ? thrown.cause : thrown;
    const reason = systemCodeOf(cause) ?? messageOf(cause);
    return problem(check, `${url.origin} does not answer: ${reason}.`, 'Check the address and the network.');
  }
}
