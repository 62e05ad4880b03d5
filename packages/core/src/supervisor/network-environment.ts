/**
 * How this machine reaches the network, where it needs a proxy or certificates of its own. Like `PATH` this is of the
 * machine and no secret of Luna: children need it to reach anything at all, and Luna's own connections follow it.
 */

/** The variables that say so. Programs differ in which letters they read. */
export const networkVariables: readonly string[] = [
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY'].flatMap((name) => [name, name.toLowerCase()]),
  'NODE_USE_ENV_PROXY',
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'REQUESTS_CA_BUNDLE',
  'CURL_CA_BUNDLE',
];

/** The proxies of this machine. */
export interface ProxySettings {
  readonly httpProxy?: string;
  readonly httpsProxy?: string;
  /** Hosts that are reached without one, separated by commas. */
  readonly noProxy?: string;
}

/** The proxies that the environment names; undefined when there are none. The small letters win, as curl has it. */
export function proxySettings(environment: NodeJS.Dict<string> = process.env): ProxySettings | undefined {
  const value = (name: string) => environment[name.toLowerCase()] || environment[name] || undefined;
  const [httpProxy, httpsProxy, noProxy] = [value('HTTP_PROXY'), value('HTTPS_PROXY'), value('NO_PROXY')];
  return httpProxy === undefined && httpsProxy === undefined ? undefined : { httpProxy, httpsProxy, noProxy };
}

/** Where npm and pip are told by the environment to take packages from. They may hold credentials: only those two get them. */
const registryVariables: readonly string[] = [
  'NPM_CONFIG_REGISTRY',
  'npm_config_registry',
  ...['INDEX_URL', 'EXTRA_INDEX_URL', 'FIND_LINKS', 'NO_INDEX', 'CERT', 'CONFIG_FILE'].map((name) => `PIP_${name}`),
];

/** What programs that install packages get of the environment, beside what each child gets. */
export function registryEnvironment(environment: NodeJS.Dict<string> = process.env): Record<string, string> {
  const given = registryVariables.flatMap((name) => {
    const value = environment[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(given);
}
