import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { homePaths, publicDomainProblem, publicPathOf, tidyPublicUrl, writeFileDurably } from '@luna/core/config';
import { LunaError } from '@luna/core/errors';
import { Command, Option } from 'commander';
import { caddyBlock, caddyfile, type DeploymentMode, domainFor, ngrokPort } from '../../deployment/caddyfile.ts';
import { findHome, readSettings } from '../../settings.ts';
import { savedConfig } from '../home-files.ts';
import { print, run } from '../output.ts';
import { findRunning } from '../running-luna.ts';

interface Options {
  readonly home?: string;
  readonly mode?: DeploymentMode;
  readonly domain?: string;
  readonly port?: string;
  readonly httpPort?: string;
  readonly httpsPort?: string;
  readonly internalTls?: boolean;
  readonly block?: boolean;
  readonly output?: string;
  readonly print?: boolean;
  readonly json?: boolean;
}

const modes = ['local', 'ngrok', 'nip_io', 'custom_domain'] as const;

export function caddyfileCommand(): Command {
  return new Command('caddyfile')
    .description('Write a Caddyfile that ends TLS in front of Luna. Luna need not run for it.')
    .option('--home <dir>', 'the home (default: LUNA_HOME, or the folder here)')
    .addOption(new Option('--mode <mode>', 'how people reach Luna (default: deployment_mode)').choices(modes))
    .option(
      '--domain <name>',
      'the name under which they do, with a path if need be (default: that of the public address)',
    )
    .option('--port <number>', 'the port of Luna (default: that of the one that runs, or LUNA_PORT, or 8766)')
    .option('--http-port <number>', 'the port of Caddy for plain HTTP, instead of 80, or of 8080 for ngrok')
    .option('--https-port <number>', 'the port of Caddy for HTTPS, instead of 443')
    .option('--internal-tls', "use certificates of Caddy's own authority")
    .option('--block', 'only the block that leads a path to Luna, for a Caddyfile of your own')
    .option('--output <file>', 'where to write it (default: .luna/Caddyfile of the home, or Caddyfile.block)')
    .option('--print', 'print it instead')
    .option('--json', 'print JSON')
    .action((options: Options) => run(options.json, () => write(options)));
}

async function write(options: Options): Promise<void> {
  const home = findHome(options.home, process.env);
  const settings = await readSettings({ home, ...(options.port !== undefined && { port: options.port }) }, process.env);
  const saved = await savedConfig(home);
  const mode = options.mode ?? settings.deploymentMode ?? saved.deployment_mode;
  const given = givenPlace(options.domain, { ...settings, saved: saved.public_domain });
  const domain = domainFor(mode, given.domain);
  const { basePath } = given;
  if (options.block && basePath === '')
    throw new LunaError(
      'invalid_input',
      '--block is for a Luna below a path of a domain. Name it: --domain example.org/luna, or LUNA_PUBLIC_URL in .env.',
    );
  const httpPort = portOf('--http-port', options.httpPort);
  const httpsPort = portOf('--https-port', options.httpsPort ?? given.httpsPort);
  const what = {
    mode,
    domain,
    basePath,
    upstream: options.port === undefined ? await upstreamOf(home, settings) : `127.0.0.1:${settings.port}`,
    internalTls: options.internalTls ?? false,
    ...(mode === 'ngrok' ? { ngrokPort: httpPort } : { httpPort, httpsPort }),
  };
  const text = options.block ? caddyBlock(what) : caddyfile(what);
  if (options.print) return print({ mode, domain, text }, options.json, () => text.trimEnd());
  const file = options.output ?? join(homePaths(home).generated, options.block ? 'Caddyfile.block' : 'Caddyfile');
  if (options.output === undefined) await mkdir(homePaths(home).generated, { recursive: true });
  await writeFileDurably(file, text);
  const isBlock = options.block ?? false;
  const next = nextSteps({ mode, domain, basePath, httpPort, httpsPort, file, isBlock, saved, told: settings });
  print({ mode, domain, file, next }, options.json, () => [`Wrote ${file}.`, '', ...next].join('\n'));
}

/** The domain and the path below it: as told here, or where Luna is told that people reach it. */
function givenPlace(
  told: string | undefined,
  {
    publicUrl,
    publicDomain,
    saved,
  }: { publicUrl?: string | undefined; publicDomain?: string | undefined; saved: string },
): { domain: string; basePath: string; httpsPort?: string } {
  // An address of this machine needs no Caddy.
  const url = publicUrl?.startsWith('https:') ? new URL(publicUrl) : undefined;
  const place = told ?? (url ? url.hostname + publicPathOf(url.href) : (publicDomain ?? saved));
  const [, domain = '', path = ''] = /^([^/]*)(.*)$/.exec(place) ?? [];
  const problem = path === '' ? undefined : publicDomainProblem(place);
  if (problem !== undefined) throw new LunaError('invalid_input', `The domain "${place}" ${problem}.`);
  const isPublic = url !== undefined && domain.toLowerCase() === url.hostname;
  return {
    domain,
    basePath: path.replace(/\/$/, '') || (isPublic ? publicPathOf(url.href) : ''),
    ...(isPublic && url.port !== '' && { httpsPort: url.port }),
  };
}

/** What else has to be so that Luna and Caddy agree. */
function nextSteps(made: {
  readonly mode: DeploymentMode;
  readonly domain: string;
  readonly basePath: string;
  readonly isBlock: boolean;
  readonly httpPort: number | undefined;
  readonly httpsPort: number | undefined;
  readonly file: string;
  readonly saved: Awaited<ReturnType<typeof savedConfig>>;
  readonly told: Awaited<ReturnType<typeof readSettings>>;
}): string[] {
  const { mode, domain, basePath, httpPort, httpsPort, file, isBlock, saved, told } = made;
  const hasPort = httpsPort !== undefined && httpsPort !== 443 && mode !== 'ngrok';
  const origin = `https://${domain}${hasPort ? `:${httpsPort}` : ''}`;
  const address = origin + basePath;
  const isSaid =
    told.publicUrl === undefined
      ? mode !== 'local' &&
        (told.deploymentMode ?? saved.deployment_mode) === mode &&
        tidyPublicUrl(`https://${told.publicDomain ?? saved.public_domain}`) === address
      : told.publicUrl === address;
  const saying =
    mode === 'local' || told.publicUrl !== undefined || hasPort
      ? `Set LUNA_PUBLIC_URL=${address} in .env, and start Luna anew.`
      : `Set "deployment_mode": "${mode}" and "public_domain": "${domain}${basePath}" in master_config.json.`;
  const isTrusted = saved.luna.trusted_proxies.some((proxy) => proxy.startsWith('127.0.0.1'));
  return [
    ...(isSaid ? [] : [saying]),
    ...(isTrusted ? [] : ['Add "127.0.0.1" to luna.trusted_proxies in master_config.json.']),
    isBlock
      ? `Put this into the block of ${domain} in your Caddyfile:  import ${file}`
      : `Try it:  caddy run --config ${file}`,
    ...(mode === 'ngrok' ? [`And:     ngrok http ${httpPort ?? ngrokPort} --url ${origin}`] : []),
  ];
}

/** Where the Luna of the home listens, or would listen. */
async function upstreamOf(home: string, { host, port }: { host: string; port: number }): Promise<string> {
  try {
    return new URL((await findRunning(home)).url).host.replace(/^localhost:/, '127.0.0.1:');
  } catch (thrown) {
    if (!(thrown instanceof LunaError)) throw thrown;
  }
  if (port === 0)
    throw new LunaError(
      'invalid_input',
      'The port of Luna is 0, that is any free one. Start Luna first, or give --port.',
    );
  const name = host === '0.0.0.0' || host === '::' || host === 'localhost' ? '127.0.0.1' : host;
  return name.includes(':') ? `[${name}]:${port}` : `${name}:${port}`;
}

function portOf(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535)
    throw new LunaError('invalid_input', `${flag} must be a port from 1 to 65535, not "${text}".`);
  return port;
}
