/** Whether what was fetched from here once can be fetched anew: not what was put there by hand, or uploaded. */
export function isRemoteSource(source: string | undefined): source is string {
  return source !== undefined && /^(?:github:|npm:|[a-z]+:\/\/|[^/]+@)/.test(source);
}
