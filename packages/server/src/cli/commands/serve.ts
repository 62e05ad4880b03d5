import { LunaError, toLunaError } from '@luna/core/errors';
import { ownerMark } from '@luna/core/supervisor';
import type { StatusView } from '@luna/core/views';
import { Command } from 'commander';
import { clientSnippet } from '../../client-setups.ts';
import { restartExitCode, type ServerMessage } from '../../launch/server-messages.ts';
import type { RunningServer } from '../../launcher.ts';
import { readSettings, type SettingFlags } from '../../settings.ts';
import { counted, run } from '../output.ts';
import { settingOptions } from './start.ts';

/** After this long a stop that hangs is cut short, in milliseconds. */
const stopLimitMs = 10_000;

export function serveCommand(): Command {
  return settingOptions(new Command('serve'))
    .description('Run Luna in this one process. Nothing starts it again when it dies: "luna start" does.')
    .option('--json', 'print one line of JSON when ready')
    .action((options: SettingFlags & { json?: boolean }) => run(options.json, () => serve(options)));
}

async function serve(options: SettingFlags & { json?: boolean }): Promise<void> {
  const launcher = process.send && process.env[ownerMark] ? toLauncher() : undefined;
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
      onPhase: (phase) => launcher?.({ type: 'phase', phase }),
      ...(launcher && { owner: process.env[ownerMark] ?? '' }),
      lifecycle: { canRestart: launcher !== undefined, end: (how) => end(how === 'restart' ? restartExitCode : 0) },
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
    launcher({ type: 'failed', code, message });
    process.exitCode = 1;
    process.disconnect();
    return;
  }
  if (!server) return;
  const { url } = server;
  const signIn = server.signInLink();
  const summary = summaryOf(server, signIn, await server.luna.status());
  if (launcher) launcher({ type: 'ready', url, signIn, summary });
  else {
    const ready = { url, signIn, pid: process.pid, home: server.luna.paths.root };
    process.stdout.write(options.json ? `${JSON.stringify(ready)}\n` : summary);
  }
}

function toLauncher(): (message: ServerMessage) => void {
  return (message) => {
    if (!process.send) throw new LunaError('internal', 'The channel to the launcher is closed.');
    process.send(message);
  };
}

function summaryOf(server: RunningServer, signIn: string, status: StatusView): string {
  const mark = (isWell: boolean) => (isWell ? '✓' : '!');
  const lines = [
    `Luna ${status.version} is ready.`,
    '',
    `  Open   ${signIn}   (works once, within 15 minutes)`,
    ...status.hubs
      .filter((hub) => hub.enabled)
      .map((hub) => `  Hub    ${hub.url}   (${counted(hub.toolCount, 'tool')})`),
    `  Home   ${status.home}`,
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
