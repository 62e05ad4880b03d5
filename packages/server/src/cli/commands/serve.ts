import { LunaError, toLunaError } from '@luna/core/errors';
import { ownerMark, type StartPhase } from '@luna/core/supervisor';
import type { StatusView } from '@luna/core/views';
import { Command } from 'commander';
import type { LunaAddress } from '../../addresses.ts';
import { clientSnippet } from '../../client-setups.ts';
import { restartExitCode, type ServerMessage, updateExitCode } from '../../launch/server-messages.ts';
import type { RunningServer } from '../../launcher.ts';
import { readSettings, type SettingFlags } from '../../settings.ts';
import { counted, run } from '../output.ts';
import { PhaseLines } from '../phase-lines.ts';
import { settingOptions } from './start.ts';

/** After this long a stop that hangs is cut short, in milliseconds. */
const stopLimitMs = 10_000;
const exitCodes = { shutdown: 0, restart: restartExitCode, update: updateExitCode };

export function serveCommand(): Command {
  return settingOptions(new Command('serve'))
    .description('Run Luna in this one process. Nothing starts it again when it dies: "luna start" does.')
    .option('--json', 'print one line of JSON when ready')
    .action((options: SettingFlags & { json?: boolean }) => run(options.json, () => serve(options)));
}

async function serve(options: SettingFlags & { json?: boolean }): Promise<void> {
  const launcher = process.send && process.env[ownerMark] ? toLauncher() : undefined;
  const lines = launcher || options.json ? undefined : new PhaseLines(process.stdout);
  let failed: StartPhase['name'] | undefined;
  let server: RunningServer | undefined;
  let starting: Promise<unknown> = Promise.resolve();
  const stopping = new AbortController();
  // What only starts is ended too: the processes of sources are there long before all is ready.
  const end = (code: number) => {
    if (stopping.signal.aborted) return;
    setTimeout(() => process.exit(code === 0 ? 1 : code), stopLimitMs).unref();
    stopping.abort();
    const closed = starting.catch(() => undefined).then(() => server?.close());
    closed.then(
      () => process.exit(code),
      () => process.exit(1),
    );
  };
  process.on('SIGINT', () => end(0)).on('SIGTERM', () => end(0));
  // A server whose launcher is gone would be nobody's.
  if (launcher) process.on('disconnect', () => end(0));
  try {
    // Loaded only here: the other commands need nothing of a server.
    const { startServer } = await import('../../launcher.ts');
    const started = startServer({
      settings: await readSettings(options, process.env),
      onPhase: (phase) => {
        failed = phase.state === 'failed' ? phase.name : undefined;
        if (launcher) launcher({ type: 'phase', phase });
        else lines?.show(phase);
      },
      ...(launcher && { owner: process.env[ownerMark] ?? '' }),
      lifecycle: { canRestart: launcher !== undefined, end: (how) => end(exitCodes[how]) },
      signal: stopping.signal,
    });
    starting = started.then((running) => {
      server = running;
    });
    await starting;
  } catch (thrown) {
    if (stopping.signal.aborted) return;
    if (!launcher) throw thrown;
    const { code, message } = toLunaError(thrown);
    launcher({ type: 'failed', code, message, ...(failed !== undefined && { phase: failed }) });
    process.exitCode = 1;
    process.disconnect();
    return;
  }
  if (!server) return;
  const { url, addresses } = server;
  const signIn = server.signInLink();
  const status = await server.luna.status();
  const { phases } = status;
  const summary = summaryOf(server, signIn, status);
  if (launcher) launcher({ type: 'ready', url, signIn, addresses: [...addresses], phases, summary });
  else {
    const ready = { url, signIn, pid: process.pid, home: server.luna.paths.root, addresses, phases };
    process.stdout.write(options.json ? `${JSON.stringify(ready)}\n` : `\n${summary}`);
  }
}

function toLauncher(): (message: ServerMessage) => void {
  return (message) => {
    if (!process.send) throw new LunaError('internal', 'The channel to the launcher is closed.');
    process.send(message);
  };
}

const addressTitles: Readonly<Record<LunaAddress['kind'], string>> = {
  dashboard: 'Dashboard',
  hub: 'Hub',
  agents: 'Agents',
  extension: 'Extension',
  service: 'Service',
};

function summaryOf(server: RunningServer, signIn: string, status: StatusView): string {
  const mark = (isWell: boolean) => (isWell ? '✓' : '!');
  const lines = [
    `Luna ${status.version} is ready.`,
    '',
    `  ${'Open'.padEnd(10)} ${signIn}   (works once, within 15 minutes)`,
    ...server.addresses.map(({ kind, name, url }) => {
      const tools = kind === 'hub' ? status.hubs.find((hub) => hub.name === name)?.toolCount : undefined;
      const note = kind === 'agents' || kind === 'dashboard' ? '' : tools === undefined ? name : counted(tools, 'tool');
      return `  ${addressTitles[kind].padEnd(10)} ${url}${note === '' ? '' : `   (${note})`}`;
    }),
    `  ${'Home'.padEnd(10)} ${status.home}`,
    '',
    ...status.sources.map(({ id, health, toolCount }) => {
      const note = health.status === 'ready' ? counted(toolCount, 'tool') : (health.reason ?? '');
      return `  ${mark(health.status === 'ready')} ${id.padEnd(16)} ${health.status.padEnd(9)} ${note}`;
    }),
    ...status.services.map(({ name, status: how, url, port, reason }) => {
      const note = how === 'running' ? (url ?? (port === undefined ? '' : `port ${port}`)) : (reason ?? '');
      return `  ${mark(how === 'running')} ${name.padEnd(16)} ${how.padEnd(9)} ${note}`;
    }),
  ];
  const first = server.luna.admin.hubs().find((hub) => hub.enabled && !hub.keyIsHashed);
  if (first) lines.push('', 'To connect a client, give it this:', '', clientSnippet(first));
  lines.push('', 'Stop with Ctrl-C.', '');
  return lines.join('\n');
}
