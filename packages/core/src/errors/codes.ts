/**
 * Every code that a {@link LunaError} can carry, with what it means. Codes are stable; messages are not.
 * The documentation's error page is made from this table.
 */
export const lunaErrorCodes = {
  invalid_input: 'Something that came in (a body, an argument, a name) does not have the required form.',
  config_invalid: 'A configuration file cannot be read; the message names file, line and column.',
  unauthorized: 'No credential was given, or it is not the right one.',
  forbidden: 'The caller is known but may not do this.',
  not_found: 'The named thing does not exist.',
  conflict: 'The change contradicts the present state, for example a name that is taken.',
  tool_not_found: 'No tool of this name is visible to the caller.',
  needs_approval: 'The tool is held back: the message says why, and who may let it pass.',
  tool_failed: 'The tool itself answered with a failure.',
  source_unavailable: 'The source of the tool is not running now; the message says why.',
  extension_invalid: 'An extension cannot be loaded; the message names file and line.',
  command_not_found: 'The command that should be started does not exist.',
  process_failed: 'A child process ended when it should not have.',
  needs_authorization: 'A person has to authorize Luna at the MCP server of the tool first.',
  model_unavailable: 'An agent needs a model and none is configured; the message says what to set.',
  upstream_error: 'Another server answered with an error.',
  timeout: 'Something took longer than its limit.',
  cancelled: 'The caller withdrew the request.',
  too_large: 'Something that came in is longer than its limit.',
  limit_exceeded: 'A rate or count went over its limit. `details.retryAfterSeconds` says when to try again.',
  port_taken: 'Another program listens on the port.',
  already_running: 'Another Luna runs on this home.',
  not_running: 'Luna does not run on this home.',
  no_space: 'The disk is full; nothing was changed.',
  internal: 'A defect in Luna.',
} as const;

export type LunaErrorCode = keyof typeof lunaErrorCodes;
