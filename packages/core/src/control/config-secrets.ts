import { type MasterConfig, namesSecret } from '../config/index.ts';

/** What is secret in a configuration beside the keys that `.env` repeats: literal headers, variables and parts of URLs. */
export function configSecrets({ remote_mcp_servers, mcp_servers }: MasterConfig): string[] {
  const servers = Object.values(remote_mcp_servers).flatMap(({ headers = {}, env = {}, oauth, url }) => [
    ...Object.entries({ ...headers, ...env }).flatMap(([name, value]) => (namesSecret(name) ? partsOf(value) : [])),
    ...(oauth?.client_secret === undefined ? [] : [oauth.client_secret]),
    ...(url === undefined ? [] : inUrl(url)),
  ]);
  const hubs = Object.values(mcp_servers).flatMap(({ api_key }) => (api_key === undefined ? [] : [api_key]));
  // A reference is no secret; what it stands for is in `.env`.
  return [...servers, ...hubs].filter((value) => !value.includes('${'));
}

/** A credential behind the name of its scheme is one without it too. */
function partsOf(value: string): string[] {
  const [, credential] = /^[A-Za-z]+ +(\S.*)$/.exec(value) ?? [];
  return credential === undefined ? [value] : [credential];
}

function inUrl(text: string): string[] {
  if (!URL.canParse(text)) return [];
  const { password, searchParams } = new URL(text);
  const named = [...searchParams].flatMap(([name, value]) => (namesSecret(name) ? [value] : []));
  return password === '' ? named : [decodeURIComponent(password), ...named];
}
