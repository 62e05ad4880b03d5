import { OAuthError, OAuthErrorCode } from '@modelcontextprotocol/client';
import { LunaError, messageOf } from '../../../errors/index.ts';
import { refusalIn } from '../../egress/index.ts';

/** How much of what an authorization server says goes into an error. */
const maxQuoted = 400;

/** `what` went wrong at the authorization server of this MCP server, with what is known of why. */
export function authorizationFailure(server: string, what: string, thrown: unknown): LunaError {
  const refusal = thrown instanceof LunaError ? thrown : refusalIn(thrown);
  const why = refusal?.message ?? [messageOf(thrown), causeOf(thrown)].filter(Boolean).join(': ').slice(0, maxQuoted);
  return new LunaError(
    refusal?.code ?? (thrown instanceof OAuthError ? 'upstream_error' : 'source_unavailable'),
    `${what} at the server "${server}": ${why}`,
    { cause: thrown },
  );
}

/** Whether the authorization server said that this refresh will never succeed. */
export function isRefused(thrown: unknown): boolean {
  if (!(thrown instanceof OAuthError)) return false;
  const { InvalidGrant, InvalidClient, UnauthorizedClient, InvalidScope } = OAuthErrorCode;
  return [InvalidGrant, InvalidClient, UnauthorizedClient, InvalidScope].some((code) => code === thrown.code);
}

/** Whether it does not know Luna's registration any more. */
export function isUnknownClient(thrown: unknown): boolean {
  return thrown instanceof OAuthError && thrown.code === OAuthErrorCode.InvalidClient;
}

function causeOf(thrown: unknown): string | undefined {
  return thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause.message : undefined;
}
