import { mkdir } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createLuna, type Luna, makeKey, type StartPhase } from '@luna/core/control';
import { LunaError, messageOf, systemCodeOf } from '@luna/core/errors';
import { deleteExpired } from '@luna/core/store';
import { addressesOf, type LunaAddress } from './addresses.ts';
import { createApp, type LunaApp } from './app.ts';
import { SignInLinks } from './auth/sign-in-links.ts';
import { CoreUpdater } from './core-update/index.ts';
import { Log } from './log/log.ts';
import { Metrics } from './metrics/metrics.ts';
import { PublicAddress } from './public-address.ts';
import type { Lifecycle } from './routes/lifecycle.ts';
import { isLoopback, modelEnvironment, type Settings } from './settings.ts';
import { version } from './version.ts';

export interface StartOptions {
  readonly settings: Settings;
  /** How patient the server is with connections. */
  readonly patience?: Patience;
  /** See `LunaOptions.onPhase`. */
  readonly onPhase?: (phase: StartPhase) => void;
  /** See `LunaOptions.owner`. */
  readonly owner?: string;
  /** See {@link Lifecycle}. */
  readonly lifecycle?: Lifecycle;
  /** Stops it while it starts; then `cancelled` is thrown, and nothing is left running. */
  readonly signal?: AbortSignal;
}

/** Times in milliseconds. */
export interface Patience {
  /** For the head of a request. Default 15 seconds. */
  readonly headMs?: number;
  /** For a whole request. Default 30 seconds, less the time between two looks. */
  readonly requestMs?: number;
  /** How often connections are looked at. Default 2 seconds. */
  readonly lookMs?: number;
  /** For a connection on which nothing is asked. Default 65 seconds. */
  readonly idleMs?: number;
}

/** A Luna that answers on its port. */
export interface RunningServer {
  readonly luna: Luna;
  readonly url: string;
  /** Where people and clients go directly, as it was when Luna was ready. */
  readonly addresses: readonly LunaAddress[];
  /** Makes a link that signs a person in once. */
  signInLink(): string;
  /** Ends everything in order. Safe to call twice. */
  close(): Promise<void>;
}

/** Definitions of external services that come with Luna. */
const shippedServices = fileURLToPath(new URL('../external_services', import.meta.url));
/** They tell commands of external services where a container engine listens. */
const engineKeys = ['DOCKER_HOST', 'DOCKER_CONTEXT', 'DOCKER_CONFIG', 'CONTAINER_HOST', 'XDG_RUNTIME_DIR'];

const sessionSecretName = 'LUNA_SESSION_SECRET';

/**
 * Starts a Luna with its server. The port is taken before anything else is started. Throws `already_running`,
 * `config_invalid`, `port_taken`; then nothing is left running.
 */
export async function startServer(options: StartOptions): Promise<RunningServer> {
  const { settings, patience, onPhase, owner, lifecycle, signal } = options;
  const logs = join(settings.home, 'logs');
  await mkdir(logs, { recursive: true });
  const log = new Log({
    folder: logs,
    level: settings.logLevel,
    maxBytes: settings.logMaxBytes,
    formerFiles: settings.logFiles,
  });
  const { entries } = log;
  const coreUpdater = new CoreUpdater({ home: settings.home, lifecycle, owner });
  const luna = await openLuna(settings.home, log, { owner, onPhase }, coreUpdater);
  const metrics = new Metrics(luna);
  let server: Server | undefined;
  try {
    log.redactBy((text) => luna.redact(text));
    luna.onCall((call) => log.call(call));
    const links = new SignInLinks();
    const { publicUrl, deploymentMode, publicDomain } = settings;
    const address = new PublicAddress({
      config: () => luna.config.config,
      told: { publicUrl, deploymentMode, publicDomain },
    });
    const app = createApp(luna, {
      sessionSecret: await sessionSecret(luna),
      links,
      address,
      environment: process.env,
      allowedHosts: settings.allowedHosts,
      plainToken: settings.authToken,
      ...(lifecycle && { lifecycle }),
      coreUpdater,
      onError: (error, request) =>
        entries.error({ from: 'http', ...request, ...wordsOf(error, (text) => luna.redact(text)) }, 'request failed'),
      metrics,
      metricsToken: settings.metricsToken,
      log: entries,
    });
    server = await listen(makeServer(app, patience), settings);
    const url = urlOf(server, settings.host);
    address.local = url;
    luna.publicUrl = address.url;
    luna.config.onChange(() => {
      luna.publicUrl = address.url;
    });
    await luna.supervisor.describe({ pid: process.pid, url, version, startedAt: luna.startedAt });
    await Promise.race([luna.start(), aborted(signal)]);
    const addresses = await luna.startPhases.run(
      'summary',
      () => addressesOf(luna),
      ({ length }) => `${length} addresses.`,
    );
    const sources = luna.registry.sources().filter(({ kind }) => kind !== 'builtin').length;
    const counts = { sources, tools: luna.registry.tools().size };
    entries.info({ from: 'luna', url, ...counts }, 'ready');
    const housekeeping = setInterval(() => void deleteExpired(luna.store).catch(() => undefined), 3_600_000).unref();
    await deleteExpired(luna.store);
    const listening = server;
    let closing: Promise<void> | undefined;
    const close = async () => {
      entries.info({ from: 'luna' }, 'stopping');
      clearInterval(housekeeping);
      // It goes on listening meanwhile, so that whoever asks is told that it ends.
      await luna.close();
      metrics.close();
      const closed = new Promise((settle) => listening.close(settle));
      listening.closeAllConnections();
      await closed;
      entries.info({ from: 'luna' }, 'stopped');
      await log.close();
    };
    return {
      luna,
      url,
      addresses,
      signInLink: () => `${luna.publicUrl}/sign-in#token=${links.make()}`,
      close: () => {
        closing ??= close();
        return closing;
      },
    };
  } catch (thrown) {
    server?.close();
    await luna.close();
    server?.closeAllConnections();
    metrics.close();
    entries.fatal({ from: 'luna', error: messageOf(thrown) }, 'cannot start');
    await log.close();
    throw thrown;
  }
}

/** Covered before they become JSON within JSON, where a secret looks otherwise. */
function wordsOf(error: unknown, redact: (text: string) => string): { error: string; stack?: string } {
  const stack = error instanceof Error ? error.stack : undefined;
  return { error: redact(messageOf(error)), ...(stack !== undefined && { stack: redact(stack) }) };
}

async function openLuna(
  home: string,
  log: Log,
  { owner, onPhase }: Pick<StartOptions, 'owner' | 'onPhase'>,
  coreUpdater: CoreUpdater,
): Promise<Luna> {
  try {
    return await createLuna({
      home,
      version,
      environment: await modelEnvironment(process.env),
      ...(owner !== undefined && { owner }),
      ...(onPhase && { onPhase }),
      updateCore: coreUpdater.update,
      judgeCoreUpdate: coreUpdater.judge,
      externalServices: { shippedFolders: [shippedServices], environment: engineVariables(process.env) },
      onLog: ({ from, line }) => log.entries.info({ from }, line),
    });
  } catch (thrown) {
    await log.close();
    throw thrown;
  }
}

function engineVariables(environment: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    engineKeys.flatMap((key) => (environment[key] === undefined ? [] : [[key, environment[key]]])),
  );
}

/** Never settles where nothing is aborted. */
function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_settle, reject) => {
    const stop = () => reject(new LunaError('cancelled', 'Luna was stopped while it started.'));
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop, { once: true });
  });
}

async function sessionSecret(luna: Luna): Promise<string> {
  const present = (await luna.env.read())[sessionSecretName];
  if (present) return present;
  const secret = makeKey('');
  await luna.env.set({ [sessionSecretName]: secret });
  return secret;
}

/** A client that sends its request drop by drop is let go; one that waits for an answer, or hears a stream, is not. */
function makeServer(app: LunaApp, patience: Patience = {}): Server {
  const { headMs = 15_000, requestMs = 28_000, lookMs = 2_000, idleMs = 65_000 } = patience;
  const times = { headersTimeout: headMs, requestTimeout: requestMs, connectionsCheckingInterval: lookMs };
  const server = createServer(
    {
      ...times,
      keepAliveTimeout: idleMs,
      // Finds out that the other end of a silent connection has vanished.
      keepAlive: true,
      keepAliveInitialDelay: 10_000,
      // Not to be weakened by a flag of the process: two readings of one message are how requests are smuggled.
      insecureHTTPParser: false,
      requireHostHeader: true,
      // Clients offer other protocols (h2c) with requests that are quite ordinary.
      shouldUpgradeCallback: (request) => app.wantsUpgrade(request),
    },
    app,
  );
  return server.on('upgrade', (request, socket, head) => app.upgrade(request, socket as Socket, head));
}

async function listen(server: Server, { host, port }: Settings): Promise<Server> {
  await new Promise<void>((settle, reject) => {
    server.once('error', (error) => {
      if (systemCodeOf(error) === 'EADDRINUSE') {
        reject(
          new LunaError(
            'port_taken',
            `Port ${port} on ${host} is taken by another program. Stop that program, or choose another port with --port.`,
            { cause: error, details: { port } },
          ),
        );
      } else if (systemCodeOf(error) === 'EACCES') {
        reject(
          new LunaError(
            'invalid_input',
            `Port ${port} may not be used by this user. Choose one above 1023 with --port.`,
            { cause: error },
          ),
        );
      } else reject(error);
    });
    server.listen({ host, port }, settle);
  });
  return server;
}

function urlOf(server: Server, host: string): string {
  const { port } = server.address() as AddressInfo;
  const name =
    !isLoopback(host) && (host === '0.0.0.0' || host === '::') ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${port}`;
}
