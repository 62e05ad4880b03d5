/** Names of headers and variables whose values are secrets. */
const secretNames = /(?:^|[_-])(?:authorization|api[_-]?key|key|token|secret|password|passwd|credential|cookie)s?$/i;

/** Whether what stands at this path of master_config.json is a secret, when it is no reference. */
export function isSecretSetting(path: readonly (string | number)[]): boolean {
  const [section, , group, name] = path;
  const last = String(path.at(-1));
  if (section === 'remote_mcp_servers') {
    if (group === 'oauth') return name === 'client_secret';
    return (group === 'headers' || group === 'env') && secretNames.test(last);
  }
  return section !== 'tool_configs' && section !== 'mcp_servers' && /(?:api_key|token|secret|password)$/i.test(last);
}

/** An environment key for a secret: `remote_mcp_servers.my-pets.headers.X-Api-Key` is `MY_PETS_X_API_KEY`. */
export function keyForSetting(path: readonly (string | number)[]): string {
  const key = [path[1], path.at(-1)]
    .map((part) =>
      String(part)
        .toUpperCase()
        .replace(/[^A-Z0-9]+/g, '_'),
    )
    .join('_');
  return /^[A-Z_]/.test(key) ? key : `_${key}`;
}
