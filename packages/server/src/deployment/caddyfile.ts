import { isIPv4 } from 'node:net';
import type { MasterConfig } from '@luna/core/config';
import { LunaError } from '@luna/core/errors';
import { isOnlyInside } from './inside-addresses.ts';

export type DeploymentMode = MasterConfig['deployment_mode'];

export interface CaddyfileOptions {
  readonly mode: DeploymentMode;
  /** The name under which people reach this Luna. `localhost` where the mode is `local`. */
  readonly domain: string;
  /** The path of the domain below which Luna is: `/luna`. Default: it has the whole domain. */
  readonly basePath?: string | undefined;
  /** Where Luna listens: `127.0.0.1:8766`. */
  readonly upstream: string;
  /** Certificates of Caddy's own authority instead of public ones. */
  readonly internalTls?: boolean;
  /** Other ports than 80 and 443. */
  readonly httpPort?: number | undefined;
  readonly httpsPort?: number | undefined;
  /** Where ngrok finds Caddy. */
  readonly ngrokPort?: number | undefined;
}

/** Luna takes 4 MB of JSON; the rest is for what stands around it. */
const maxBody = '5MB';
/** The same as a pattern of lengths: 5,000,000 bytes and more. */
const tooLong = '^0*([5-9]\\d{6}|[1-9]\\d{7,})$';
/** Archives come by these routes. */
const uploads = ['/api/supervisor/extensions/upload', '/api/external-services/upload'];
const maxUpload = '250MB';
export const ngrokPort = 8080;

/**
 * A Caddyfile that ends TLS in front of Luna: streams are not held back, bodies and headers have limits, and what
 * Luna is told of the client is Caddy's word. Throws `invalid_input` for a domain that does not fit the mode.
 */
export function caddyfile(options: CaddyfileOptions): string {
  const { mode, httpPort, httpsPort } = options;
  const domain = domainFor(mode, options.domain);
  const isInternal =
    options.internalTls === true || isLocal(domain) || (mode === 'nip_io' && isOnlyInside(ipIn(domain)));
  const isNgrok = mode === 'ngrok';
  const site = isNgrok ? `http://${domain}:${options.ngrokPort ?? ngrokPort}` : domain;
  const globals = [
    ...(httpPort === undefined ? [] : [`http_port ${httpPort}`]),
    ...(httpsPort === undefined ? [] : [`https_port ${httpsPort}`]),
    '# Clients keep streams open for as long as they like; a stop does not wait for them.',
    'grace_period 10s',
    'servers {',
    '	# Clients that send drop by drop are let go. There is no limit on writing: streams stay open.',
    '	timeouts {',
    '		read_header 15s',
    '		idle 2m',
    '	}',
    '	max_header_size 32KB',
    '}',
  ];
  const passing = passingOn({ ...options, isNgrok });
  const basePath = options.basePath ?? '';
  const body = [
    ...(isNgrok ? ['# ngrok ends TLS and connects from this machine.', 'bind 127.0.0.1 ::1', ''] : []),
    ...(isInternal && !isNgrok
      ? ['# By the authority of this Caddy: clients have to trust its root certificate.', 'tls internal', '']
      : []),
    // Below a path it is for the rest of the domain to say.
    ...(isInternal || isNgrok || basePath !== '' ? [] : ['header Strict-Transport-Security "max-age=31536000"', '']),
    ...(basePath === ''
      ? passing
      : [
          ...handled(basePath, passing),
          '',
          '# What else the domain serves stands here.',
          'handle {',
          '	respond "There is nothing here." 404',
          '}',
        ]),
  ];
  return `# Ends TLS in front of Luna (${mode}). Written by "luna caddyfile"; write it anew after a change of the domain or port.
{
${indented(globals)}
}

${site} {
${indented(body)}
}
`;
}

/**
 * The lines alone that lead a path of a site to Luna, for a Caddyfile of one's own: to be imported into the block of the
 * site. Throws as {@link caddyfile} does.
 */
export function caddyBlock(options: CaddyfileOptions & { readonly basePath: string }): string {
  domainFor(options.mode, options.domain);
  const lines = handled(options.basePath, passingOn({ ...options, isNgrok: options.mode === 'ngrok' }));
  return `# Leads ${options.basePath} of a site to Luna. Written by "luna caddyfile --block"; import it into the block of the site.\n${lines.join('\n')}\n`;
}

/** The path, as it came, and the metadata of OAuth, which lies at the root of the domain (RFC 8414, RFC 9728). */
function handled(basePath: string, passing: readonly string[]): string[] {
  const metadata = ['oauth-authorization-server', 'openid-configuration', 'oauth-protected-resource'];
  return [
    '@luna {',
    `	path ${basePath} ${basePath}/*`,
    ...metadata.map((name) => `	path /.well-known/${name}${basePath} /.well-known/${name}${basePath}/*`),
    '}',
    'handle @luna {',
    indented(passing),
    '}',
  ];
}

/** From the limits of what comes to the hand-over. */
function passingOn({
  basePath = '',
  upstream,
  isNgrok,
}: Pick<CaddyfileOptions, 'basePath' | 'upstream'> & { readonly isNgrok: boolean }): string[] {
  const uploadPaths = uploads.map((path) => basePath + path).join(' ');
  return [
    `@uploads path ${uploadPaths}`,
    'request_body @uploads {',
    `	max_size ${maxUpload}`,
    '}',
    `@others not path ${uploadPaths}`,
    'request_body @others {',
    `	max_size ${maxBody}`,
    '}',
    '# Who says beforehand that it is longer is answered before it is sent.',
    '@long {',
    `	not path ${uploadPaths}`,
    `	header_regexp Content-Length ${tooLong}`,
    '}',
    'respond @long "The body is too long." 413 {',
    '	close',
    '}',
    '',
    '# What clients say of themselves under these names is not for Luna.',
    'request_header -X-Luna-*',
    '',
    `reverse_proxy ${upstream} {`,
    '	# Events go on as they come.',
    '	flush_interval -1',
    ...(isNgrok ? ['	trusted_proxies 127.0.0.1/8 ::1/128'] : []),
    '	transport http {',
    '		dial_timeout 5s',
    '	}',
    '}',
  ];
}

/** The domain in the form that the mode wants. An address alone becomes a name of nip.io. */
export function domainFor(mode: DeploymentMode, given: string): string {
  const domain = given.toLowerCase();
  if (mode === 'local') return checked(domain === '' ? 'localhost' : domain);
  if (domain === '') {
    throw new LunaError(
      'invalid_input',
      `The mode "${mode}" needs a domain: give --domain, or set public_domain in master_config.json.`,
    );
  }
  if (mode !== 'nip_io') return checked(domain);
  const name = isIPv4(domain) ? `${domain}.nip.io` : domain;
  if (!name.endsWith('.nip.io') || ipIn(name) === undefined) {
    throw new LunaError(
      'invalid_input',
      `The mode "nip_io" needs an IPv4 address or a name such as 203.0.113.7.nip.io, not "${given}".`,
    );
  }
  return checked(name);
}

/** A name and nothing else: it becomes part of a file that is obeyed. */
function checked(domain: string): string {
  const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
  const isName = domain.length <= 253 && new RegExp(`^${label}(?:\\.${label})*$`).test(domain);
  if (!isName || isIPv4(domain) || (!domain.includes('.') && domain !== 'localhost')) {
    throw new LunaError(
      'invalid_input',
      `${JSON.stringify(domain)} is not a domain such as luna.example.com: give the name alone, without https:// and without a port.`,
    );
  }
  return domain;
}

/** The address in a name of nip.io: `10.0.0.1.nip.io`, `app-10-0-0-1.nip.io`. */
function ipIn(name: string): string | undefined {
  const found = /(?:^|[.-])(\d{1,3}[.-]\d{1,3}[.-]\d{1,3}[.-]\d{1,3})\.nip\.io$/.exec(name)?.[1]?.replaceAll('-', '.');
  return found !== undefined && isIPv4(found) ? found : undefined;
}

function isLocal(domain: string): boolean {
  return domain === 'localhost' || domain.endsWith('.localhost');
}

function indented(lines: readonly string[]): string {
  const all = lines.flatMap((line) => line.split('\n'));
  return all.map((line) => (line === '' ? '' : `\t${line}`)).join('\n');
}
